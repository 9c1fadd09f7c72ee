//! Names of the classes of well-known data, whose files hold numbers alone.

/// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017).
pub(in crate::data) const FASHION: &[&str] =
    &["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

/// Kuzushiji-MNIST (Clanuwat et al. 2018).
pub(in crate::data) const KUZUSHIJI: &[&str] = &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"];

/// CIFAR-10 (Krizhevsky 2009).
pub(in crate::data) const CIFAR10: &[&str] =
    &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The coarse classes of CIFAR-100.
#[rustfmt::skip]
pub(super) const CIFAR100_COARSE: &[&str] = &[
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables", "household_electrical_devices",
    "household_furniture", "insects", "large_carnivores", "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes", "large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates",
    "people", "reptiles", "small_mammals", "trees", "vehicles_1", "vehicles_2",
];

/// The fine classes of CIFAR-100.
#[rustfmt::skip]
pub(in crate::data) const CIFAR100_FINE: &[&str] = &[
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf",
    "woman", "worm",
];

/// Classes with names, numbered from a first label on.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) struct Classes {
    /// Their names, in the order of their labels.
    pub names: Vec<String>,
    /// The label of the first.
    pub first: i64,
}

impl Classes {
    /// The classes of a split of EMNIST (Cohen et al. 2017). `balanced` and `bymerge` take small letters for capitals
    /// where the two look alike; `letters` numbers from 1 and takes both for the same.
    pub fn emnist(split: &str) -> Option<Classes> {
        let (letters, first) = match split {
            "balanced" | "bymerge" => ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt", 0),
            "byclass" => ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 0),
            "letters" => ("abcdefghijklmnopqrstuvwxyz", 1),
            "digits" | "mnist" => ("0123456789", 0),
            _ => return None,
        };
        Some(Classes { names: letters.chars().map(String::from).collect(), first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_names_as_classes_and_no_name_twice() {
        let emnist = |split| Classes::emnist(split).map_or(Vec::new(), |classes| classes.names);
        let splits =
            [("balanced", 47), ("bymerge", 47), ("byclass", 62), ("letters", 26), ("digits", 10), ("mnist", 10)];
        let mut all: Vec<(Vec<String>, usize)> = splits.map(|(split, count)| (emnist(split), count)).into();
        let lists = [(FASHION, 10), (KUZUSHIJI, 10), (CIFAR10, 10), (CIFAR100_COARSE, 20), (CIFAR100_FINE, 100)];
        all.extend(lists.map(|(names, count)| (names.iter().map(|name| name.to_string()).collect(), count)));
        for (names, count) in all {
            let different: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!((names.len(), different.len()), (count, count), "{names:?}");
        }
        assert!(CIFAR100_FINE.is_sorted() && CIFAR100_COARSE.is_sorted(), "as their publishers number them");
    }
}
