//! What a configuration is: read, written, refused.

#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn a_saved_configuration_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let mut config = RunConfig { data_dir: Some("somewhere".into()), lr: 3e-4, ..RunConfig::default() };
    config.entropy.alpha = f32::INFINITY;
    std::fs::write(&path, config.to_toml().unwrap()).unwrap();
    assert_eq!(RunConfig::read(&path, None, None).unwrap(), config);
}

#[test]
fn unknown_keys_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "epochs = 3\nepoch = 4\n").unwrap();
    let message = RunConfig::read(&path, None, None).unwrap_err().to_string();
    assert!(message.contains("line 2") && message.contains("epoch") && message.contains("config.toml"), "{message}");
}

#[test]
fn a_section_is_over_its_model_s_or_says_whose_it_is() {
    let read = |text: &str| RunConfig::parse(text, "c.toml".as_ref(), None, None);
    let vae = read("model = \"vae\"\n\n[variational]\nbeta = 4.0\n").unwrap().variational.unwrap();
    assert_eq!((vae.beta, vae.sigma), (4.0, 0.1));
    let message = read("model = \"nmn\"\n\n[variational]\nbeta = 4.0\n").unwrap_err().to_string();
    assert!(message.contains("line 3: variational: [variational] belongs to --model vae"), "{message}");
}

#[test]
fn a_block_of_no_kind_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "epochs = 3\n\n[[encoder]]\nlinear = 4\n\n[[encoder]]\nlinaer = 4\n").unwrap();
    let message = RunConfig::read(&path, None, None).unwrap_err().to_string();
    assert!(message.contains("line 7: encoder.2.linaer") && message.contains("linear"), "{message}");
}

#[test]
fn what_depends_on_the_network_or_the_data_follows_them_unless_it_is_said() {
    let read = |text: &str| RunConfig::parse(text, "c.toml".as_ref(), None, None);
    let two = "[[encoder]]\nlinear = 400\nactivation = \"relu\"\n[[encoder]]\nlinear = 20\n";
    let spelt = format!("{two}[[decoder]]\nlinear = 784\nactivation = \"sigmoid\"\n");
    let config = read(&spelt).unwrap().settled();
    assert_eq!((&config.recipe[..], config.entropy.layers), ("bottleneck", vec![2]), "the code layer is the second");
    let last = |config: &RunConfig| config.layers().last().unwrap().linear;
    let following = read(&format!("data = \"one-hot-5\"\n{two}")).unwrap();
    assert_eq!((last(&following), following.depth()), (5, 5), "the default decoder, as wide as the rows");
    let classes = read("model = \"classifier\"\ndata = \"one-hot-4\"\n").unwrap();
    assert_eq!(last(&classes), 4);
    assert_eq!(last(&read(&format!("data = \"one-hot-5\"\n{spelt}")).unwrap()), 784, "what is said stays");
    let mut set = RunConfig::base(None, None).unwrap();
    set.set("--set", "encoder", "[{ linear = 9 }]").unwrap();
    assert_eq!(set.settled().entropy.layers, [1]);
}

#[test]
fn values_without_meaning_are_refused_by_name() {
    type Spoil = fn(&mut RunConfig);
    let cases: [(&str, Spoil); 6] = [
        ("--lr", |c| c.lr = f32::NAN),
        ("--lr", |c| c.lr = 0.0),
        ("--lambda-entropy", |c| c.lambda_entropy = -1.0),
        ("--epochs", |c| c.epochs = 0),
        ("--batch-size", |c| c.batch_size = 0),
        ("entropy.layers", |c| c.entropy.layers = vec![6]),
    ];
    for (name, spoil) in cases {
        let mut config = RunConfig::default();
        spoil(&mut config);
        let message = config.check().unwrap_err().to_string();
        assert!(message.contains(name), "{message} does not name {name}");
    }
}
