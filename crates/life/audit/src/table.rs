//! The columns of a Parquet file of the audit (`specs/audit.md`).

use std::sync::Arc;

use parquet::basic::{
    Compression, ConvertedType, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical,
    ZstdLevel,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, Type};

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Few values, each often.
    repeats: bool,
}

impl Column {
    /// Whether every row has a value.
    pub(crate) fn is_required(&self) -> bool {
        self.name == COLUMNS[Col::Index as usize].name
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number.
    Int,
    /// Unix milliseconds.
    Time,
    /// 32 bytes.
    Hash,
    /// UTF-8.
    Text,
    /// Any bytes.
    Bytes,
}

macro_rules! columns {
    ($($id:ident = $name:literal, $kind:ident, $repeats:literal;)*) => {
        /// Places of the columns.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Col { $($id),* }

        /// All columns, in their order in the file.
        pub(crate) const COLUMNS: &[Column] =
            &[$(Column { name: $name, kind: Kind::$kind, repeats: $repeats }),*];
    };
}

columns! {
    Index = "index", Int, false;
    Entry = "entry", Bytes, false;
    Requested = "requested", Time, false;
    Released = "released", Time, false;
    Completed = "completed", Time, false;
    Agent = "agent", Text, true;
    Session = "session", Hash, true;
    Door = "door", Text, true;
    Context = "context", Text, true;
    Tool = "tool", Text, true;
    Service = "service", Text, true;
    Connection = "connection", Text, true;
    Method = "method", Text, true;
    Host = "host", Text, true;
    PathTemplate = "path_template", Text, true;
    Request = "request", Hash, false;
    Parameters = "parameters", Hash, false;
    Outcome = "outcome", Text, true;
    Gates = "gates", Text, true;
    Approval = "approval", Text, false;
    IntentIndex = "intent_index", Int, false;
    IntentLeaf = "intent_leaf_hash", Hash, false;
    Retries = "retries", Int, true;
    IdempotencyKey = "idempotency_key", Text, false;
    Minted = "minted", Text, false;
    Lineage = "lineage", Text, true;
    BodyBytes = "request_body_bytes", Int, false;
    BodyDigest = "request_body_digest", Hash, false;
    Status = "status", Int, true;
    BytesIn = "bytes_in", Int, false;
    BytesOut = "bytes_out", Int, false;
    Response = "response", Text, true;
    Error = "error", Text, true;
    Durability = "durability", Text, true;
}

/// Rows of a page, so that one row costs little to read.
pub(crate) const PAGE_ROWS: usize = 512;
/// Dearer levels make hardly less of the same columns.
const ZSTD_LEVEL: i32 = 6;

/// The schema: flat, every column but `index` optional.
pub(crate) fn schema() -> Result<Arc<Type>, ParquetError> {
    let field = |column: &Column| {
        let (physical, logical, converted) = match column.kind {
            Kind::Int => (Physical::INT64, None, ConvertedType::NONE),
            Kind::Time => (
                Physical::INT64,
                Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
                ConvertedType::TIMESTAMP_MILLIS,
            ),
            Kind::Hash => (Physical::FIXED_LEN_BYTE_ARRAY, None, ConvertedType::NONE),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String), ConvertedType::UTF8),
            Kind::Bytes => (Physical::BYTE_ARRAY, None, ConvertedType::NONE),
        };
        let repetition = match column.is_required() {
            true => Repetition::REQUIRED,
            false => Repetition::OPTIONAL,
        };
        let length = if column.kind == Kind::Hash { 32 } else { -1 };
        let built = Type::primitive_type_builder(column.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .with_converted_type(converted)
            .with_length(length)
            .build();
        built.map(Arc::new)
    };
    let fields = COLUMNS.iter().map(field).collect::<Result<_, _>>()?;
    Type::group_type_builder("symbolon_audit").with_fields(fields).build().map(Arc::new)
}

/// How each column is written.
pub(crate) fn properties() -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_created_by("symbolon".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::None);
    for column in COLUMNS {
        let path = ColumnPath::from(column.name);
        properties = properties.set_column_dictionary_enabled(path.clone(), column.repeats);
        if matches!(column.kind, Kind::Int | Kind::Time) && !column.repeats {
            let delta = Encoding::DELTA_BINARY_PACKED;
            properties = properties.set_column_encoding(path.clone(), delta);
        }
        if matches!(column.name, "index" | "requested" | "completed") {
            // For readers that others wrote: ours believes no statistics.
            properties =
                properties.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page);
        }
        if column.kind == Kind::Hash && !column.repeats {
            // What a hash gave cannot be made less.
            properties = properties.set_column_compression(path, Compression::UNCOMPRESSED);
        }
    }
    Ok(properties.build())
}
