//! Every key that a configuration has, with its meaning in a line: what `gpu-ae config show --all` prints. A test keeps the
//! table and the types of the configuration the same.

/// A key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// Its name behind that of its tables, as `entropy.alpha`.
    pub path: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// A value for where nothing is usually said and no model says anything; else empty.
    pub example: &'static str,
}

const fn key(path: &'static str, meaning: &'static str) -> Key {
    Key { path, meaning, example: "" }
}

pub(super) const fn unsaid(path: &'static str, example: &'static str, meaning: &'static str) -> Key {
    Key { path, meaning, example }
}

/// All keys, table by table, in the order in which they are printed.
pub(super) const KEYS: &[Key] = &[
    key("model", "kind of model, of which everything is that is not said here"),
    key("recipe", "named settings of error and entropy: bottleneck, plain, report"),
    unsaid("data_dir", "\"data\"", "folder of the data's files, if not $GPU_AE_DATA or the user's cache"),
    unsaid("without", "4", "class, by its name, whose rows are left out of the training data"),
    key("device", "auto, gpu, cpu, a number of 'gpu-ae devices', or part of an adapter's name"),
    key("seed", "of initial parameters, of the order of rows, of built-in data"),
    key("epochs", "passes over the training data"),
    key("batch_size", "samples of a step"),
    key("lr", "step size of the optimiser, the largest one where [lr_schedule] moves it"),
    key("lambda_mse", "weight of the mean squared error of the reconstruction"),
    key("lambda_entropy", "weight of the entropy, the largest one where it moves; 0 is none"),
    key("tied", "whether the decoder has the encoder's weights, transposed"),
    key("encoder", "blocks from the rows to the code"),
    key("decoder", "blocks from the code to the answer; if nothing is said the model's, as wide as the data wants"),
    key("data.path", "data set of 'gpu-ae data list', or path of a folder of images, a table or arrays"),
    unsaid("data.label", "\"species\"", "column, array or kind of label that holds the classes"),
    unsaid("data.id", "\"name\"", "column of a table that names the rows"),
    unsaid("data.drop", "[\"comment\"]", "columns of a table that are left out"),
    unsaid("data.key", "\"images\"", "array of an .npz file that holds the rows; split of EMNIST"),
    unsaid("data.header", "true", "whether the first line of a table names its columns; else its looks decide"),
    unsaid("data.size", "\"32x32\"", "width and height in pixels that images are brought to"),
    unsaid("data.crop", "\"centre\"", "of images of another shape than that: centre cuts them, none stretches them"),
    unsaid("data.grey", "false", "whether colours become grey"),
    unsaid("data.skip_broken", "false", "whether files that cannot be decoded are left out"),
    unsaid(
        "data.scale",
        "\"standard\"",
        "how values reach the network: standard is less the mean, over the deviation; none",
    ),
    unsaid("data.test", "0.2", "share of the rows that is tested with, where the data does not say which"),
    unsaid(
        "data.validation",
        "0.1",
        "share of the training rows that is set aside to decide when to stop and which epoch is best",
    ),
    unsaid("data.most_pixels", "67108864", "largest image that is decoded, in pixels"),
    unsaid(
        "data.on_device",
        "2048",
        "megabytes of rows that a device may hold, beyond which they come window by window; else 2 GiB, of the \
         processor half of the free memory",
    ),
    key("optimiser.kind", "adam, adamw, sgd, lars"),
    unsaid("optimiser.weight_decay", "0.01", "what draws parameters towards 0; of adamw 0.01, else 0"),
    unsaid("optimiser.beta1", "0.9", "of adam and adamw: decay of the mean of gradients"),
    unsaid("optimiser.decay", "\"all\"", "what decays: all, or weights without biases and norms, as of lars"),
    unsaid("optimiser.momentum", "0.9", "of sgd and lars: the share of the last step in the next one"),
    unsaid("optimiser.nesterov", "true", "of sgd: whether a step looks ahead along its momentum"),
    unsaid("optimiser.trust", "0.001", "of lars: the share of a layer's norm that a step at a rate of 1 moves it by"),
    unsaid("optimiser.clip", "1.0", "largest norm of all gradients together; no limit if nothing is said"),
    unsaid("optimiser.average", "0.999", "decay of a running mean of the weights, which is then judged, kept and used"),
    unsaid(
        "optimiser.accumulate",
        "1",
        "parts in which a batch goes through the network before the optimiser moves once",
    ),
    unsaid(
        "optimiser.loss_scale",
        "65536.0",
        "what the loss is multiplied by at first, halved after a step whose gradients are not finite, which moves nothing, \
         doubled after 2,000 without one; with --precision mixed 65536, else none",
    ),
    key("lr_schedule.kind", "constant, step, cosine"),
    key("lr_schedule.warm_up", "epochs over which the rate rises from almost nothing"),
    unsaid("lr_schedule.every", "10.0", "of step: epochs between two falls of the rate"),
    unsaid("lr_schedule.factor", "0.1", "of step: what the rate is multiplied by"),
    unsaid("lr_schedule.floor", "0.0", "of cosine: the rate at which it ends"),
    unsaid(
        "early_stopping.term",
        "\"mse\"",
        "term of the test data that decides: mse, loss, or another of the model's",
    ),
    unsaid("early_stopping.patience", "5", "epochs without a better one after which training stops"),
    unsaid("early_stopping.min_change", "0.0", "by how much a better epoch must be better"),
    key("entropy.of", "weights, paths, widths, codes"),
    key("entropy.activity", "of weights: incoming, outgoing, both, sum, product"),
    key("entropy.alpha", "order of the Rényi entropy of weights, paths and widths; 1 is Shannon's"),
    key("entropy.bias_weight", "of weights: weight of a bias in its neuron's activeness"),
    key("entropy.path_bias", "of paths: how biases take part: none, source, product, edge"),
    key("entropy.beta", "of codes: -1 for logits, else the inverse temperature of energies"),
    key("entropy.averaging", "of codes: how balance over the batch is measured: divergence, average, document"),
    key("entropy.balance", "of codes: weight of that balance"),
    unsaid("entropy.layers", "[1]", "the layers that count, numbered from 1; the code layer if nothing is said"),
    key("entropy.maximise", "whether the entropy is driven up"),
    key("entropy.schedule.kind", "constant, warm-up, budget"),
    unsaid("entropy.schedule.from", "0.0", "of warm-up: epochs without weight"),
    unsaid("entropy.schedule.to", "3.0", "of warm-up: epochs until the whole weight"),
    unsaid("entropy.schedule.warm_up", "6.0", "of budget: epochs without weight; six tenths of all if nothing is said"),
    unsaid("entropy.schedule.mse", "0.0", "of budget: the error not to be exceeded; 0 takes that after the warm-up"),
    unsaid("entropy.schedule.rate", "0.1", "of budget: how fast the weight follows"),
    key("corruption.kind", "noise that is to be removed: gaussian, masking, salt-pepper"),
    key("corruption.amount", "deviation of gaussian noise, pixels from 0 to 1; else the share of pixels"),
    key("sparsity.kind", "penalty on activity: l1, or divergence of each unit's rate from a target"),
    key("sparsity.weight", "its weight beside the error"),
    key("sparsity.target", "of divergence: the rate"),
    key("sparsity.layers", "the hidden layers that are kept sparse, numbered from 1"),
    key("contractive.method", "how the encoder's Jacobian is measured: exact, hutchinson"),
    key("contractive.weight", "weight of its squared norm; 0 only measures"),
    key("contractive.probes", "of hutchinson: random directions"),
    key("contrastive_divergence.steps", "Gibbs steps of a restricted Boltzmann machine"),
    key("classifier.labels", "training rows whose label is known, as many of each class; 0 is all"),
    key("classifier.frozen", "whether the encoder stays as it begins"),
    unsaid("classifier.from", "\"runs/NAME\"", "the run whose encoder it began with: --from sets it"),
    key(
        "wasserstein.kind",
        "distance of codes from N(0, I): mmd-imq, mmd-rbf, mmd-imq-multi, gaussian, gaussian-diagonal",
    ),
    key("wasserstein.weight", "its weight beside the error"),
    key("wasserstein.jitter", "of gaussian and gaussian-diagonal: added to the variances of the codes"),
    key("variational.likelihood", "of an image, given its code: bernoulli, gaussian"),
    key("variational.sigma", "of gaussian: deviation, pixels from 0 to 1"),
    key("variational.beta", "weight of the codes' divergence from N(0, I); 1 is the evidence lower bound"),
    key("variational.warm_up", "epochs over which that weight rises from 0"),
    key("rate.model", "how whole numbers of a code are said to be distributed: gaussian, factorized, hyperprior"),
    unsaid("rate.beta", "0.1", "weight of their bits a dimension; under a budget the largest one"),
    unsaid("rate.budget", "0.13", "bits a dimension, with those of a side code, that the weight brings about"),
    key("rate.warm_up", "epochs over which the weight rises from 0, or after which a budget holds"),
    key("rate.layer", "block of the encoder, counted from 1, behind which numbers are coded; 0 is the last"),
    key("rate.quantise", "what training has in the place of rounding: ste, its value with a straight gradient; noise"),
    key("rate.hidden", "of hyperprior: units, or channels, of its hidden layers"),
    key("rate.side", "of hyperprior: units, or channels, of its side code"),
    key("rate.patch", "of hyperprior of a map: its pixels a side that a side code tells of; 0 is 4, 2 or 1"),
    key(
        "contrastive.temperature",
        "by what cosines of views are divided: the smaller, the more their nearest others count",
    ),
    key("clustering.balance", "weight of the balance between clusters"),
    unsaid("clustering.consistency", "10.0", "weight of what changes when images are changed by [augment]"),
    unsaid("clustering.adversarial.epsilon", "0.2", "length of a perturbation, of the tenth neighbour's distance"),
    unsaid("clustering.adversarial.probe", "10.0", "length of the step by which its direction is found"),
    unsaid("clustering.adversarial.weight", "10.0", "weight of what perturbations change"),
    key("adversarial.code", "width of codes that the decoder, a generator, makes rows of; the encoder discriminates"),
    unsaid(
        "huber.weight",
        "1.0",
        "weight of Huber's error, beside the squared one or with lambda_mse = 0 in its place",
    ),
    unsaid("huber.delta", "0.1", "where its straight line begins, pixels from 0 to 1"),
    key("augment.flip", "while training: share of images whose left becomes right"),
    key("augment.flip_vertical", "share of images that are turned upside down"),
    key("augment.crop", "pixels of black around an image, of which a window of its size is cut"),
    key("augment.shift", "share of height and width by which an image is shifted at most"),
    key("augment.rotate", "degrees by which it is turned at most, either way"),
    key("augment.scale", "share of its size by which it grows or shrinks at most"),
    key("augment.shear", "how far it leans at most, as a share of its height, either way"),
    key("augment.resized_crop", "smallest area of a box that is cut out and made as large as the image, a share"),
    key("augment.jitter", "share of images whose brightness, contrast, saturation and hue change"),
    key("augment.brightness", "share by which brightness changes at most"),
    key("augment.contrast", "share by which contrast changes at most"),
    key("augment.saturation", "share by which saturation changes at most"),
    key("augment.hue", "share of a whole turn by which the hue changes at most"),
    key("augment.grey", "share of images that become grey"),
    key(
        "augment.blur",
        "share of images that are blurred, by a Gaussian of up to 2 pixels in a window of a tenth of the side",
    ),
    unsaid("augment.image", "\"28x28x1\"", "what rows are, where neither network nor data say it"),
    unsaid("augment.black", "[0.0]", "values of a black pixel, one a channel; of the data if nothing is said"),
    key("dropout.rate", "share of a layer's units that are left out of each training step"),
    key("dropout.layers", "the hidden layers in question, numbered from 1"),
    key("hopfield.rules", "how patterns are stored: projection, hebbian"),
    key("hopfield.update", "in which order neurons decide: synchronous, asynchronous"),
    key("hopfield.loads", "patterns over neurons, each a network of its own"),
    key("hopfield.flips", "shares of pixels that are flipped"),
    key("hopfield.threshold", "brightness above which a pixel is 1"),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use serde::de::value::{Error as Refusal, MapDeserializer};
    use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Visitor};
    use toml::Table;

    use super::super::block_keys::BLOCKS;
    use super::*;
    use crate::config::{RunConfig, Schedule};
    use crate::data::DataOptions;
    use crate::nn::block::{
        ActivationBlock, BatchNormBlock, ConvBlock, ConvTransposeBlock, DropoutBlock, FlattenBlock, GdnBlock,
        GroupNormBlock, LayerNormBlock, LinearBlock, PoolBlock, ResidualBlock, UnflattenBlock, UpsampleBlock,
    };

    type Fields = &'static [&'static str];

    /// Asks a type for the fields of the struct at a place in it. Nothing is ever read: a struct names its fields before
    /// it asks for any.
    #[derive(Clone, Copy)]
    struct Asking<'a> {
        place: &'a [&'a str],
        fields: &'a Cell<Option<Fields>>,
    }

    impl<'de> Deserializer<'de> for Asking<'_> {
        type Error = Refusal;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            own: Fields,
            visitor: V,
        ) -> Result<V::Value, Refusal> {
            let Some((name, place)) = self.place.split_first() else {
                self.fields.set(Some(own));
                return Err(Refusal::custom("asked"));
            };
            visitor.visit_map(MapDeserializer::new(std::iter::once((*name, Asking { place, ..self }))))
        }

        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            visitor.visit_some(self)
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
            Err(Refusal::custom("no struct"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    impl<'de> IntoDeserializer<'de, Refusal> for Asking<'_> {
        type Deserializer = Self;

        fn into_deserializer(self) -> Self {
            self
        }
    }

    /// The fields of the struct at a place of a type, if there is one.
    fn fields<T: DeserializeOwned>(place: &[&str]) -> Option<Fields> {
        let fields = Cell::new(None);
        let _ = T::deserialize(Asking { place, fields: &fields });
        fields.get()
    }

    /// All keys below a place of a configuration, as its types have them.
    fn collect(place: &[&'static str], found: &mut BTreeSet<String>) {
        // Its variants have keys of their own, which an enum does not tell.
        if place == ["entropy", "schedule"] {
            let budget = Schedule::Budget { warm_up: Some(1.0), mse: 0.0, rate: 0.1 };
            for schedule in [Schedule::Constant, Schedule::WarmUp { from: 0.0, to: 1.0 }, budget] {
                let table = Table::try_from(schedule).unwrap();
                found.extend(table.keys().map(|key| format!("entropy.schedule.{key}")));
            }
            return;
        }
        // A name alone may stand for all of them, so they are asked for by their values.
        if place == ["data"] {
            let all = "path = \"x\"\nlabel = \"x\"\nid = \"x\"\ndrop = [\"x\"]\nkey = \"x\"\nheader = true\nsize = \"2x2\"\n\
                crop = \"centre\"\ngrey = true\nskip_broken = true\nscale = \"none\"\ntest = 0.5\nvalidation = 0.5\n\
                most_pixels = 9\non_device = 9\n";
            let options: DataOptions = toml::from_str(all).unwrap();
            let DataOptions {
                path: _,
                label: _,
                id: _,
                drop: _,
                key: _,
                header: _,
                size: _,
                crop: _,
                grey: _,
                skip_broken: _,
                scale: _,
                test: _,
                validation: _,
                most_pixels: _,
                on_device: _,
                of_run: _,
            } = &options;
            found.extend(Table::try_from(options).unwrap().keys().map(|key| format!("data.{key}")));
            return;
        }
        match fields::<RunConfig>(place) {
            Some(fields) => fields.iter().for_each(|name| collect(&[place, &[name]].concat(), found)),
            None => drop(found.insert(place.join("."))),
        }
    }

    #[test]
    fn every_key_of_the_types_has_its_meaning_and_nothing_else_has() {
        let mut types = BTreeSet::new();
        collect(&[], &mut types);
        let told: BTreeSet<String> = KEYS.iter().map(|key| key.path.to_string()).collect();
        assert_eq!(told.len(), KEYS.len(), "a key is there twice");
        assert_eq!(told, types);
        let blocks = [
            fields::<LinearBlock>(&[]),
            fields::<BatchNormBlock>(&[]),
            fields::<LayerNormBlock>(&[]),
            fields::<DropoutBlock>(&[]),
            fields::<ResidualBlock>(&[]),
            fields::<ActivationBlock>(&[]),
            fields::<ConvBlock>(&[]),
            fields::<ConvTransposeBlock>(&[]),
            fields::<FlattenBlock>(&[]),
            fields::<UnflattenBlock>(&[]),
            fields::<GroupNormBlock>(&[]),
            fields::<GdnBlock>(&[]),
            fields::<PoolBlock>(&[]),
            fields::<UpsampleBlock>(&[]),
        ];
        let types: BTreeSet<&str> = blocks.iter().flat_map(|fields| fields.unwrap()).copied().collect();
        assert_eq!(BLOCKS.iter().map(|key| key.path).collect::<BTreeSet<&str>>(), types);
    }
}
