//! Fields of a frame: how each kind of value becomes bytes and is read back, checked.

use std::str::FromStr;

use format_types::{
    Cursor, HistoryId, ObjectName, PageNumber, PageSetId, QueueManagerId, QueueManagerName, Rba, RbaRange,
    Timestamp, Urid,
};

use crate::ProtocolError;

/// A value that can be a field of a frame.
pub(crate) trait Field: Sized {
    /// Appends the field.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads the field.
    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError>;

    /// Appends all `items`; bytes do it in one go.
    fn put_all(items: &[Self], out: &mut Vec<u8>) {
        for item in items {
            item.put(out);
        }
    }

    /// Reads `count` items. Memory grows with what is read, not with what `count` claims.
    fn take_all(count: usize, cursor: &mut Cursor<'_>) -> Result<Vec<Self>, ProtocolError> {
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(Self::take(cursor)?);
        }
        Ok(items)
    }
}

/// Why a value was refused, with the offset of the field's start.
pub(crate) fn bad(what: &'static str, offset: usize, value: &dyn std::fmt::Display) -> ProtocolError {
    ProtocolError::Value { what, offset, value: value.to_string() }
}

impl Field for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        Ok(cursor.u8()?)
    }

    fn put_all(items: &[Self], out: &mut Vec<u8>) {
        out.extend_from_slice(items);
    }

    fn take_all(count: usize, cursor: &mut Cursor<'_>) -> Result<Vec<Self>, ProtocolError> {
        Ok(cursor.bytes(count)?.to_vec())
    }
}

macro_rules! number_field {
    ($($type:ty, $read:ident);*) => {$(
        impl Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
                Ok(cursor.$read()?)
            }
        }
    )*};
}

number_field!(u16, u16; u32, u32; u64, u64);

macro_rules! wrapped_field {
    ($($type:ident($inner:ty));* $(;)?) => {$(
        impl Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
                <$inner>::take(cursor).map($type)
            }
        }
    )*};
}

wrapped_field!(Rba(u64); Urid(Rba); PageNumber(u32); Timestamp(u64); QueueManagerId(u64));

impl Field for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        let offset = cursor.offset();
        match cursor.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(bad("truth (0 or 1)", offset, &other)),
        }
    }
}

impl<const N: usize> Field for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        Ok(cursor.array()?)
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        // A count beyond 32 bits means a frame beyond its limit, which is refused when the frame is ended.
        u32::try_from(self.len()).unwrap_or(u32::MAX).put(out);
        T::put_all(self, out);
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        let count = usize::try_from(cursor.u32()?).unwrap_or(usize::MAX);
        T::take_all(count, cursor)
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        if bool::take(cursor)? { T::take(cursor).map(Some) } else { Ok(None) }
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        Ok((A::take(cursor)?, B::take(cursor)?))
    }
}

impl Field for String {
    fn put(&self, out: &mut Vec<u8>) {
        u32::try_from(self.len()).unwrap_or(u32::MAX).put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        let offset = cursor.offset();
        let bytes = cursor.bytes32()?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(bad("UTF-8 text", offset, &error)),
        }
    }
}

fn take_name<N: FromStr>(what: &'static str, cursor: &mut Cursor<'_>) -> Result<N, ProtocolError> {
    let offset = cursor.offset();
    let text = String::take(cursor)?;
    text.parse().map_err(|_| bad(what, offset, &format_args!("'{text}'")))
}

macro_rules! name_field {
    ($($type:ty, $what:literal);* $(;)?) => {$(
        impl Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                self.as_str().to_owned().put(out);
            }

            fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
                take_name($what, cursor)
            }
        }
    )*};
}

name_field!(ObjectName, "object name"; QueueManagerName, "queue manager name");

impl Field for PageSetId {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.number());
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        let offset = cursor.offset();
        let number = cursor.u8()?;
        Self::new(number).ok_or_else(|| bad("page set (0 to 99)", offset, &number))
    }
}

impl Field for RbaRange {
    fn put(&self, out: &mut Vec<u8>) {
        self.start.put(out);
        self.end.put(out);
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        let offset = cursor.offset();
        let (start, end) = (Rba::take(cursor)?, Rba::take(cursor)?);
        if end < start {
            return Err(bad("range of RBAs", offset, &format_args!("{start} to {end}")));
        }
        Ok(Self::new(start, end))
    }
}

impl Field for HistoryId {
    fn put(&self, out: &mut Vec<u8>) {
        self.number.put(out);
        self.random.put(out);
    }

    fn take(cursor: &mut Cursor<'_>) -> Result<Self, ProtocolError> {
        Ok(Self { number: u32::take(cursor)?, random: u64::take(cursor)? })
    }
}

/// Gives a struct its fields in order.
macro_rules! struct_field {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl $crate::field::Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::field::Field::put(&self.$field, out);)*
            }

            fn take(cursor: &mut format_types::Cursor<'_>) -> Result<Self, $crate::ProtocolError> {
                Ok(Self { $($field: $crate::field::Field::take(cursor)?),* })
            }
        }
    };
}

/// Gives a choice its bytes.
macro_rules! choice_field {
    ($type:ident, $what:literal { $($byte:literal => $variant:ident),* $(,)? }) => {
        impl $crate::field::Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(match self { $(Self::$variant => $byte),* });
            }

            fn take(cursor: &mut format_types::Cursor<'_>) -> Result<Self, $crate::ProtocolError> {
                let offset = cursor.offset();
                match cursor.u8()? {
                    $($byte => Ok(Self::$variant),)*
                    other => Err($crate::field::bad($what, offset, &other)),
                }
            }
        }
    };
}

/// Defines an enum of frames: tag, name and fields of each.
macro_rules! frames {
    (
        $(#[$meta:meta])*
        $name:ident, $what:literal {
            $(
                $(#[$variant_meta:meta])*
                $tag:literal => $variant:ident
                $({ $( $(#[$field_meta:meta])* $field:ident : $type:ty ),* $(,)? })?
                $([ $inner:ident : $inner_type:ty ])?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $(
                $(#[$variant_meta])*
                $variant $({ $( $(#[$field_meta])* $field: $type ),* })? $(($inner_type))?
            ),*
        }

        impl $name {
            /// The whole frame, its length field included.
            ///
            /// # Errors
            /// When it would be longer than [`MAXIMUM_FRAME`](crate::MAXIMUM_FRAME).
            pub fn encode(&self) -> Result<Vec<u8>, $crate::ProtocolError> {
                $crate::frame::end(match self {
                    $(
                        frames!(@pattern $variant $({ $($field),* })? $([ $inner ])?) => {
                            #[allow(unused_mut)]
                            let mut out = $crate::frame::begin($tag);
                            $($($crate::field::Field::put($field, &mut out);)*)?
                            $($crate::field::Field::put($inner, &mut out);)?
                            out
                        }
                    )*
                })
            }

            /// The value of a frame given without its length field.
            ///
            /// # Errors
            /// When the bytes break the validity rule of this crate.
            pub fn decode(frame: &[u8]) -> Result<Self, $crate::ProtocolError> {
                let mut cursor = format_types::Cursor::new(frame);
                let value = match cursor.u8()? {
                    $(
                        $tag => frames!(@take cursor, $variant $({ $($field),* })? $([ $inner_type ])?),
                    )*
                    tag => return Err($crate::ProtocolError::Tag { what: $what, tag }),
                };
                match cursor.rest().len() {
                    0 => Ok(value),
                    count => Err($crate::ProtocolError::Trailing { what: $what, count }),
                }
            }
        }
    };
    (@pattern $variant:ident { $($field:ident),* }) => { Self::$variant { $($field),* } };
    (@pattern $variant:ident [ $inner:ident ]) => { Self::$variant($inner) };
    (@pattern $variant:ident) => { Self::$variant };
    (@take $cursor:ident, $variant:ident { $($field:ident),* }) => {
        Self::$variant { $($field: $crate::field::Field::take(&mut $cursor)?),* }
    };
    (@take $cursor:ident, $variant:ident [ $inner:ty ]) => {
        Self::$variant(<$inner as $crate::field::Field>::take(&mut $cursor)?)
    };
    (@take $cursor:ident, $variant:ident) => { Self::$variant };
}

pub(crate) use {choice_field, frames, struct_field};
