//! What a run is given.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::InputError;
use crate::flow::Flow;

/// An input of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub(crate) name: Box<str>,
    pub(crate) kind: InputType,
    pub(crate) default: Option<Value>,
}

/// Of which type an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An object.
    Object,
    /// A list.
    Array,
    /// Any value.
    Any,
}

impl Input {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> InputType {
        self.kind
    }

    /// What it is where nothing is given.
    #[must_use]
    pub fn default(&self) -> Option<&Value> {
        self.default.as_ref()
    }
}

impl InputType {
    /// The word in a definition, and JSON Schema's for all but `any`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Array => "array",
            Self::Any => "any",
        }
    }

    pub(crate) const ALL: [Self; 7] = [
        Self::String,
        Self::Integer,
        Self::Number,
        Self::Boolean,
        Self::Object,
        Self::Array,
        Self::Any,
    ];

    pub(crate) fn takes(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Any => true,
        }
    }
}

impl Flow {
    /// Checks what is given for a run, and adds what the definition says where nothing is given.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn with_defaults(
        &self,
        mut given: Map<String, Value>,
    ) -> Result<Map<String, Value>, InputError> {
        let found: usize = given.iter().map(|(n, v)| n.len() + crate::shape::size(v)).sum();
        if found > INPUT_BYTES_MAX {
            return Err(InputError::TooLong { max: INPUT_BYTES_MAX, found });
        }
        let is_known = |name: &String| self.inputs.iter().any(|input| *input.name == **name);
        if let Some(unknown) = given.keys().find(|name| !is_known(name)) {
            return Err(InputError::Unknown(unknown.chars().take(64).collect()));
        }
        for input in &self.inputs {
            match given.get(&*input.name) {
                Some(value) if input.kind.takes(value) => {}
                Some(_) => {
                    let (name, wanted) = (input.name.to_string(), input.kind.as_str());
                    return Err(InputError::Type { name, wanted });
                }
                None => {
                    let missing = || InputError::Missing(input.name.to_string());
                    let default = input.default.clone().ok_or_else(missing)?;
                    given.insert(input.name.to_string(), default);
                }
            }
        }
        Ok(given)
    }
}

/// Inputs of a run, as JSON.
pub(crate) const INPUT_BYTES_MAX: usize = 256 * 1024;
pub(crate) const INPUTS_MAX: usize = 64;
