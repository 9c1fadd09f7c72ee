//! Tables that others wrote: those of scikit-learn, and of every kind of column by pandas and Arrow (`write.py`).

mod damaged;

use std::path::{Path, PathBuf};

use gpu_ae::data::DataOptions;
use gpu_ae::data::columns::{Cell, Columns, Encoded, encode};
use gpu_ae::data::format::table::{self, Cells, Table};
use gpu_ae::data::found::{Found, Listener, Reading, Side, Silent};

/// Keeps what it is told.
#[derive(Default)]
struct Notices(Vec<String>);

impl Listener for Notices {
    fn reading(&mut self, _: Reading) {}
    fn notice(&mut self, text: String) {
        self.0.push(text);
    }
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tables").join(name)
}

fn read(name: &str, options: &DataOptions) -> Table {
    let Found::Table(mut tables) = table::read(&file(name), options, &mut Silent).unwrap() else { panic!("no table") };
    tables.remove(0).1
}

fn labelled(label: &str) -> DataOptions {
    DataOptions { label: Some(label.into()), ..DataOptions::of("x") }
}

fn of_text(text: &str, options: &DataOptions, known: Option<(&Columns, &[String])>) -> Result<Encoded, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    std::fs::write(&path, text).unwrap();
    let found = table::read(&path, options, &mut Silent).map_err(|error| error.to_string())?;
    let Found::Table(tables) = found else { panic!("no table") };
    encode(&path, &tables, options, 1, known).map_err(|error| error.to_string())
}

#[test]
fn files_of_scikit_learn_name_their_classes() {
    let cases: [(&str, usize, usize, &[&str]); 2] = [
        ("iris.csv", 150, 4, &["setosa", "versicolor", "virginica"]),
        ("wine_data.csv", 178, 13, &["class_0", "class_1", "class_2"]),
    ];
    for (name, rows, width, classes) in cases {
        let options = labelled("class");
        let table = read(name, &options);
        let encoded = encode(&file(name), &[(Side::Unsaid, table)], &options, 1, None).unwrap();
        assert_eq!((encoded.columns.width(), &encoded.classes[..]), (width, &classes.map_strings()[..]), "{name}");
        assert_eq!(encoded.parts.iter().map(|part| part.labels.len()).sum::<usize>(), rows, "{name}");
        let train = &encoded.parts[0];
        assert_eq!((train.side, train.names.len()), (Side::Train, train.labels.len()));
        let mut values = Vec::new();
        train.values.append(0..train.values.len(), &mut values);
        let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-5, "{name}: {mean}, {square}");
    }
}

trait Strings {
    fn map_strings(&self) -> Vec<String>;
}

impl Strings for &[&str] {
    fn map_strings(&self) -> Vec<String> {
        self.iter().map(|text| text.to_string()).collect()
    }
}

#[test]
fn every_kind_of_column_reads_as_pandas_wrote_it() {
    for name in ["kinds.parquet", "kinds.feather"] {
        let mut notices = Notices::default();
        let found = table::read(&file(name), &DataOptions::of("x"), &mut notices).unwrap();
        let Found::Table(tables) = found else { panic!("no table") };
        let table = &tables[0].1;
        assert_eq!(table.rows, 40, "{name}");
        assert!(notices.0[0].contains("'date', 'time'"), "{:?}", notices.0);
        for column in &table.columns {
            match (&column.cells, column.name.as_str()) {
                (Cells::Numbers(numbers), "missing") => {
                    numbers.iter().enumerate().for_each(|(row, x)| assert_eq!(x.is_nan(), row % 7 == 3, "{name}"));
                }
                (Cells::Numbers(numbers), "decimal") => assert_eq!(numbers[3], 0.75, "{name}"),
                (Cells::Numbers(numbers), _) => {
                    let counted = numbers.iter().enumerate().all(|(row, x)| *x == row as f64);
                    assert!(counted, "{name}: {}: {numbers:?}", column.name);
                }
                (Cells::Words { words, .. }, "bool") => assert_eq!(words, &["true", "false"], "{name}"),
                (Cells::Words { words, .. }, "string") => assert_eq!(words, &["red", "green", "blue"], "{name}"),
                (Cells::Words { words, .. }, other) => {
                    assert_eq!((other, &words[..]), ("category", &["b", "a"].as_slice().map_strings()[..]))
                }
            }
        }
    }
    let mut notices = Notices::default();
    let found = table::read(&file("kinds.csv.gz"), &DataOptions::of("x"), &mut notices).unwrap();
    let Found::Table(tables) = found else { panic!("no table") };
    assert!(notices.0[0].contains("'column 1' only counts the rows"), "{:?}", notices.0);
    assert_eq!((tables[0].1.rows, tables[0].1.columns[0].name.as_str()), (40, "int8"));
}

#[test]
fn a_nested_column_is_refused_by_name_unless_it_is_left_out() {
    let problem = table::read(&file("nested.parquet"), &DataOptions::of("x"), &mut Silent).unwrap_err().to_string();
    assert!(problem.contains("column 'list' holds List") && problem.contains("--drop 'list'"), "{problem}");
    let options = DataOptions { drop: vec!["list".into()], ..DataOptions::of("x") };
    assert_eq!(read("nested.parquet", &options).columns.len(), 1);
}

#[test]
fn values_come_back_in_their_units_and_other_rows_are_mapped_alike() {
    let mut text = "name,size,colour,same\n".to_string();
    for row in 0..40 {
        let colour = ["red", "green", "", "blue"][row % 4];
        let size = if row % 5 == 0 { "?".to_string() } else { format!("{}.1", row) };
        text += &format!("n{row},{size},{colour},7\n");
    }
    let options = DataOptions { id: Some("name".into()), test: Some(0.0), ..DataOptions::of("x") };
    let encoded = of_text(&text, &options, None).unwrap();
    let columns = &encoded.columns;
    let names = ["size", "size missing", "colour=blue", "colour=green", "colour=red", "colour missing"];
    assert_eq!((columns.value_names(), columns.width()), (names.as_slice().map_strings(), 6));
    assert!(encoded.notices.iter().any(|notice| notice.contains("'same'")), "{:?}", encoded.notices);
    assert_eq!(encoded.parts[0].names[..2], ["n0", "n1"]);
    let mut values = Vec::new();
    encoded.parts[0].values.append(0..encoded.parts[0].values.len(), &mut values);
    let cells = columns.decode(&values);
    assert_eq!(
        cells[..3],
        [
            [Cell::Missing, Cell::Word("red")],
            [Cell::Number(1.1), Cell::Word("green")],
            [Cell::Number(2.1), Cell::Missing],
        ]
    );
    assert!(columns.errors(&values, &values).iter().all(|error| *error == 0.0));
    let csv = columns.csv(&[("name", &encoded.parts[0].names)], &values).unwrap();
    assert!(String::from_utf8(csv).unwrap().starts_with("name,size,colour\nn0,,red\nn1,1.1,green\nn2,2.1,\n"));
    let kept: Columns = serde_json::from_str(&serde_json::to_string(columns).unwrap()).unwrap();
    assert_eq!(kept, *columns);
    let other = "colour,more,size\nviolet,1,1.1\nred,2,2.1\n";
    let again = of_text(other, &options, Some((columns, &[]))).unwrap();
    assert!(again.notices.iter().any(|notice| notice.contains("'more'")), "{:?}", again.notices);
    let mut more = Vec::new();
    again.parts[0].values.append(0..6, &mut more);
    assert_eq!((more[0], &more[1..]), (values[6], &[0.0; 5][..]), "an unknown word is none");
    let problem = of_text("colour\nred\nblue\nred\n", &options, Some((columns, &[]))).err().unwrap();
    assert!(problem.contains("no column 'size'"), "{problem}");
}

#[test]
fn what_is_asked_for_and_not_there_is_told() {
    let text = "size,species\n1,a\n2,b\n3,a\n4,\n";
    let problem = |text: &str, options: &DataOptions| of_text(text, options, None).err().unwrap();
    let wrong = problem(text, &labelled("specie"));
    assert!(wrong.starts_with("--label 'specie'") && wrong.contains("nearest are 'species', 'size'"), "{wrong}");
    let empty = problem(text, &labelled("species"));
    assert!(empty.contains("line 5: nothing in column 'species'"), "{empty}");
    let same = problem("size\n1\n1\n1\n", &DataOptions::of("x"));
    assert!(same.contains("no column is left"), "{same}");
    let each = problem("size,name\n1,a\n2,b\n2,c\n", &labelled("name"));
    assert!(each.contains("3 classes in 3 rows"), "{each}");
    let twice = problem("a,b,a\n1,2,3\n", &DataOptions::of("x"));
    assert!(twice.contains("columns 1 and 3 are both called 'a'"), "{twice}");
    let numbers = of_text("x,y\n1,10\n2,9\n3,10\n4,-1\n", &labelled("y"), None).unwrap();
    assert_eq!(numbers.classes, ["-1", "9", "10"]);
}

/// Looking for each of many columns among all of them once took as long as the square of their number.
#[test]
fn a_table_of_as_many_columns_as_there_may_be_is_read() {
    let text = ["1", "2", "3", "4"].map(|cell| vec![cell; 1 << 16].join(",")).join("\n");
    let encoded = of_text(&text, &DataOptions::of("x"), None).unwrap();
    assert_eq!((encoded.columns.width(), encoded.parts.len()), (1 << 16, 2));
    let again = of_text(&text, &DataOptions::of("x"), Some((&encoded.columns, &[]))).unwrap();
    assert_eq!(again.columns, encoded.columns);
}
