//! Every key of the types has its meaning, and nothing else has.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::collections::BTreeSet;

use serde::de::value::{Error as Refusal, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Visitor};
use toml::Table;

use super::block_keys::BLOCKS;
use super::meaning::KEYS;
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
