//! A list that many entries of a document share.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::ser::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::layout;

#[derive(Debug)]
struct Kept<T> {
    list: Box<[T]>,
    text: OnceLock<Box<RawValue>>,
}

/// A list that is kept once and put into words once, however many entries have it. Written as JSON only.
#[derive(Debug)]
pub struct Shared<T>(Arc<Kept<T>>);

impl<T> Shared<T> {
    /// Whether both are one and the same list, not only equal ones.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> From<Vec<T>> for Shared<T> {
    fn from(list: Vec<T>) -> Self {
        Self(Arc::new(Kept { list: list.into(), text: OnceLock::new() }))
    }
}

impl<T> FromIterator<T> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = T>>(list: I) -> Self {
        list.into_iter().collect::<Vec<T>>().into()
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0.list
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0.list == other.0.list
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = match self.0.text.get() {
            Some(text) => text,
            None => {
                let text = layout::in_a_line(&self.0.list).and_then(RawValue::from_string);
                let text = text.map_err(S::Error::custom)?;
                self.0.text.get_or_init(|| text)
            }
        };
        text.serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(Self::from)
    }
}
