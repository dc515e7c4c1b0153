//! What a statement says, once it is read.

use super::types::DataType;

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    CreateTable(Box<CreateTable>),
    AlterTable {
        name: Vec<String>,
        change: Change,
    },
    CommentOn {
        kind: CommentKind,
        name: Vec<String>,
        comment: Option<String>,
    },
    DropTable {
        name: Vec<String>,
        if_exists: bool,
    },
    /// `SELECT` of one whole number, by which clients see whether a warehouse answers.
    Select(String),
}

/// What a comment is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommentKind {
    Catalog,
    Schema,
    Table,
    Volume,
}

/// `CREATE TABLE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CreateTable {
    pub(super) name: Vec<String>,
    pub(super) if_not_exists: bool,
    pub(super) or_replace: bool,
    pub(super) columns: Vec<Column>,
    pub(super) format: Option<String>,
    pub(super) partitioned: Vec<String>,
    pub(super) clustered: Vec<String>,
    pub(super) location: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) properties: Vec<(String, String)>,
}

/// A column of a new table, or one that is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: DataType,
    pub(super) nullable: bool,
    pub(super) comment: Option<String>,
    pub(super) default: Option<String>,
    pub(super) generated: Option<String>,
    pub(super) place: Option<Place>,
}

/// Where a column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    First,
    After(String),
}

/// What `ALTER TABLE` changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    AddColumns(Vec<Column>),
    DropColumns { names: Vec<String>, if_exists: bool },
    RenameColumn { from: String, to: String },
    Column(String, ColumnChange),
    SetProperties(Vec<(String, String)>),
    UnsetProperties { names: Vec<String>, if_exists: bool },
    ClusterBy(Vec<String>),
    RenameTo(Vec<String>),
    Owner(String),
}

/// What `ALTER COLUMN` changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnChange {
    Type(DataType),
    Comment(String),
    Nullable(bool),
    Default(Option<String>),
    Place(Place),
}
