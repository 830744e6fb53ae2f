//! What a component imports and exports, read from its bytes: nothing of it is compiled.

use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use crate::engine::{Entry, short};
use crate::error::RunError;

/// The outermost names of a valid component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What it imports, such as `wasi:cli/stdout@0.2.6`, in its order.
    pub imports: Vec<String>,
    /// How it is begun.
    pub entry: Entry,
}

impl Outline {
    /// Reads and validates a component: in a fraction of the time that compiling takes, and without what compiles it being
    /// shown to a stranger's bytes outside of a process that is shut in.
    ///
    /// # Errors
    /// [`RunError::Component`] where the bytes are none, [`RunError::Entry`] where nothing that it exports can be begun.
    pub fn read(component: &[u8]) -> Result<Self, RunError> {
        if !Parser::is_component(component) {
            return Err(RunError::Component("it does not begin as one".to_owned()));
        }
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        let (mut depth, mut parts) = (0_u32, 0_u32);
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(refused)? {
                Payload::Version { .. } => {
                    (depth, parts) = (depth + 1, parts + 1);
                    if depth > DEPTH_MAX || parts > PARTS_MAX {
                        let most = format!("more than {DEPTH_MAX} deep, or {PARTS_MAX} in all");
                        return Err(RunError::Component(format!("components within it: {most}")));
                    }
                }
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        imports.push(import.map_err(refused)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        exports.push(export.map_err(refused)?.name.name);
                    }
                }
                _ => {}
            }
        }
        Validator::new_with_features(features()).validate_all(component).map_err(refused)?;
        let (entry, _) = Entry::among(exports).ok_or(RunError::Entry)?;
        Ok(Self { imports, entry })
    }
}

/// Components and modules within one another, and in all: validating costs the square of the one and memory for each of
/// the others.
const DEPTH_MAX: u32 = 64;
const PARTS_MAX: u32 = 10_000;

/// What the engine takes, or less.
fn features() -> WasmFeatures {
    let refused = WasmFeatures::THREADS | WasmFeatures::MEMORY64 | WasmFeatures::RELAXED_SIMD;
    WasmFeatures::default().difference(refused)
}

fn refused(error: wasmparser::BinaryReaderError) -> RunError {
    RunError::Component(short(error.to_string()))
}
