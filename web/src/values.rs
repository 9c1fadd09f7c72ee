//! Values on their way between the page and the library.

use gpu_ae::train::session::Session;
use js_sys::{ArrayBuffer, Float32Array, JSON, Object, Reflect, Uint8Array, Uint16Array, Uint32Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsError, JsValue};

use crate::training::Training;

/// An object of these properties.
pub fn object(properties: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (key, value) in properties {
        // A fresh object refuses none.
        let _ = Reflect::set(&object, &JsValue::from_str(key), value);
    }
    object.into()
}

/// What is called so, if it is there.
pub fn property(of: &JsValue, key: &str) -> Option<JsValue> {
    Reflect::get(of, &JsValue::from_str(key)).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

/// A number.
pub fn number(of: &JsValue, key: &str) -> Option<f64> {
    property(of, key)?.as_f64()
}

/// A text for the page.
pub fn text_of(text: &str) -> JsValue {
    JsValue::from_str(text)
}

/// A text.
pub fn text(of: &JsValue, key: &str) -> Option<String> {
    property(of, key)?.as_string()
}

/// A list of texts.
pub fn texts(of: &JsValue, key: &str) -> Option<Vec<String>> {
    let list = property(of, key)?.dyn_into::<js_sys::Array>().ok()?;
    Some(list.iter().filter_map(|value| value.as_string()).collect())
}

/// Bytes: of a buffer, or of a view of one.
pub fn bytes(of: &JsValue, key: &str) -> Result<Vec<u8>, JsValue> {
    let value = property(of, key).ok_or_else(|| JsError::new(&format!("'{key}' is missing")))?;
    match value.dyn_into::<ArrayBuffer>() {
        Ok(buffer) => Ok(Uint8Array::new(&buffer).to_vec()),
        Err(value) => Ok(Uint8Array::new(&value).to_vec()),
    }
}

/// What JSON can hold, read from a value of the page.
pub fn parsed<T: DeserializeOwned>(of: &JsValue, key: &str) -> Option<T> {
    let text = JSON::stringify(&property(of, key)?).ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}

/// What JSON can hold, as a value of the page.
pub fn json(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let text = serde_json::to_string(value).map_err(|error| JsError::new(&error.to_string()))?;
    JSON::parse(&text)
}

/// Bytes in a buffer of the page's.
pub fn buffer(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).buffer().into()
}

/// Numbers.
pub fn floats(values: &[f32]) -> JsValue {
    Float32Array::from(values).into()
}

/// Classes.
pub fn words(values: &[u16]) -> JsValue {
    Uint16Array::from(values).into()
}

/// Counts.
pub fn counts(values: &[u32]) -> JsValue {
    Uint32Array::from(values).into()
}

/// A list.
pub fn list(values: impl IntoIterator<Item = JsValue>) -> JsValue {
    values.into_iter().collect::<js_sys::Array>().into()
}

/// Rows as pixels from 0 to 1, whatever the network sees them as.
pub fn shown(training: &Training, rows: &[f32]) -> JsValue {
    floats(&training.data.encoding.shown(rows))
}

/// Numbers of a row that a session's network takes.
pub fn features(session: &Session) -> usize {
    session.image().values()
}
