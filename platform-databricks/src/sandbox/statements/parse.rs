//! Reads the statements that a provider sends.

use super::{
    SqlError,
    lexer::{Kind, Token, tokens},
    syntax::{Change, Column, ColumnChange, CommentKind, CreateTable, Place, Statement},
    types::{DataType, Member},
};

/// How deep types may nest: `type_json` shows a struct three levels deeper, and JSON is read to 127.
const DEEPEST: usize = 40;

/// Reads one statement.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR` naming what it stopped at.
pub(super) fn parse(sql: &str) -> Result<Statement, SqlError> {
    let mut parser = Parser { sql, tokens: tokens(sql)?, at: 0, depth: 0 };
    let statement = parser.statement()?;
    parser.symbol(';');
    if parser.at < parser.tokens.len() { Err(parser.unexpected()) } else { Ok(statement) }
}

/// Reads a type, as `type_text` holds it.
pub(super) fn parse_type(text: &str) -> Result<DataType, SqlError> {
    Parser { sql: text, tokens: tokens(text)?, at: 0, depth: 0 }.data_type()
}

struct Parser<'s> {
    sql: &'s str,
    tokens: Vec<Token>,
    at: usize,
    /// How many types are being read around this one.
    depth: usize,
}

impl Parser<'_> {
    fn statement(&mut self) -> Result<Statement, SqlError> {
        if self.word("CREATE") {
            return self.create_table();
        }
        if self.words(&["ALTER", "TABLE"]) {
            let name = self.qualified()?;
            return Ok(Statement::AlterTable { name, change: self.change()? });
        }
        if self.words(&["COMMENT", "ON"]) {
            return self.comment_on();
        }
        if self.words(&["DROP", "TABLE"]) {
            let if_exists = self.words(&["IF", "EXISTS"]);
            return Ok(Statement::DropTable { if_exists, name: self.qualified()? });
        }
        if self.word("SELECT")
            && let Some(Kind::Number(number)) = self.peek().cloned()
        {
            self.at += 1;
            return Ok(Statement::Select(number));
        }
        Err(self.unexpected())
    }

    fn create_table(&mut self) -> Result<Statement, SqlError> {
        let or_replace = self.words(&["OR", "REPLACE"]);
        self.word("EXTERNAL");
        self.need("TABLE")?;
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        let mut table = CreateTable { name: self.qualified()?, if_not_exists, or_replace, ..CreateTable::default() };
        if self.symbol('(') {
            table.columns = self.list(Self::column)?;
        }
        loop {
            if self.word("USING") {
                table.format = Some(self.name()?.to_uppercase());
            } else if self.words(&["PARTITIONED", "BY"]) {
                table.partitioned = self.names()?;
            } else if self.words(&["CLUSTER", "BY"]) {
                table.clustered = if self.word("AUTO") || self.word("NONE") { Vec::new() } else { self.names()? };
            } else if self.word("LOCATION") {
                table.location = Some(self.literal()?);
            } else if self.word("COMMENT") {
                table.comment = Some(self.literal()?);
            } else if self.word("TBLPROPERTIES") {
                table.properties = self.properties()?;
            } else {
                return Ok(Statement::CreateTable(Box::new(table)));
            }
        }
    }

    fn column(&mut self) -> Result<Column, SqlError> {
        let (name, ty) = (self.name()?, self.data_type()?);
        let mut column =
            Column { name, ty, nullable: true, comment: None, default: None, generated: None, place: None };
        loop {
            if self.words(&["NOT", "NULL"]) {
                column.nullable = false;
            } else if self.word("COMMENT") {
                column.comment = Some(self.literal()?);
            } else if self.word("DEFAULT") {
                column.default = Some(self.expression());
            } else if self.words(&["GENERATED", "ALWAYS", "AS"]) || self.words(&["GENERATED", "BY", "DEFAULT", "AS"]) {
                column.generated = Some(self.expression());
            } else if let Some(place) = self.place()? {
                column.place = Some(place);
            } else {
                return Ok(column);
            }
        }
    }

    fn place(&mut self) -> Result<Option<Place>, SqlError> {
        if self.word("FIRST") {
            Ok(Some(Place::First))
        } else if self.word("AFTER") {
            Ok(Some(Place::After(self.name()?)))
        } else {
            Ok(None)
        }
    }

    fn change(&mut self) -> Result<Change, SqlError> {
        if self.word("ADD") {
            self.column_word()?;
            let columns = if self.symbol('(') { self.list(Self::column)? } else { self.rest(Self::column)? };
            return Ok(Change::AddColumns(columns));
        }
        if self.word("DROP") {
            self.column_word()?;
            let if_exists = self.words(&["IF", "EXISTS"]);
            let names = if self.symbol('(') { self.list(Self::name)? } else { self.rest(Self::name)? };
            return Ok(Change::DropColumns { names, if_exists });
        }
        if self.words(&["RENAME", "TO"]) {
            return Ok(Change::RenameTo(self.qualified()?));
        }
        if self.words(&["RENAME", "COLUMN"]) {
            let from = self.name()?;
            self.need("TO")?;
            return Ok(Change::RenameColumn { from, to: self.name()? });
        }
        if self.words(&["ALTER", "COLUMN"]) || self.words(&["CHANGE", "COLUMN"]) {
            return self.column_change();
        }
        if self.words(&["SET", "TBLPROPERTIES"]) {
            return Ok(Change::SetProperties(self.properties()?));
        }
        if self.words(&["UNSET", "TBLPROPERTIES"]) {
            let if_exists = self.words(&["IF", "EXISTS"]);
            self.need_symbol('(')?;
            return Ok(Change::UnsetProperties { names: self.list(Self::key)?, if_exists });
        }
        if self.words(&["CLUSTER", "BY"]) {
            let none = self.word("NONE") || self.word("AUTO");
            return Ok(Change::ClusterBy(if none { Vec::new() } else { self.names()? }));
        }
        if self.words(&["SET", "OWNER", "TO"]) || self.words(&["OWNER", "TO"]) {
            return Ok(Change::Owner(self.name()?));
        }
        Err(self.unexpected())
    }

    fn column_change(&mut self) -> Result<Change, SqlError> {
        let name = self.name()?;
        let change = if self.word("TYPE") {
            ColumnChange::Type(self.data_type()?)
        } else if self.word("COMMENT") {
            ColumnChange::Comment(self.literal()?)
        } else if self.words(&["SET", "NOT", "NULL"]) {
            ColumnChange::Nullable(false)
        } else if self.words(&["DROP", "NOT", "NULL"]) {
            ColumnChange::Nullable(true)
        } else if self.words(&["SET", "DEFAULT"]) {
            ColumnChange::Default(Some(self.expression()))
        } else if self.words(&["DROP", "DEFAULT"]) {
            ColumnChange::Default(None)
        } else {
            ColumnChange::Place(self.place()?.ok_or_else(|| self.unexpected())?)
        };
        Ok(Change::Column(name, change))
    }

    fn comment_on(&mut self) -> Result<Statement, SqlError> {
        let kinds = [
            ("CATALOG", CommentKind::Catalog),
            ("SCHEMA", CommentKind::Schema),
            ("DATABASE", CommentKind::Schema),
            ("TABLE", CommentKind::Table),
            ("VOLUME", CommentKind::Volume),
        ];
        let kind = kinds.into_iter().find(|(word, _)| self.word(word)).map(|(_, kind)| kind);
        let kind = kind.ok_or_else(|| self.unexpected())?;
        let name = self.qualified()?;
        self.need("IS")?;
        let comment = if self.word("NULL") { None } else { Some(self.literal()?) };
        Ok(Statement::CommentOn { kind, name, comment })
    }

    fn data_type(&mut self) -> Result<DataType, SqlError> {
        if self.depth == DEEPEST {
            let message = format!("Types nest deeper than {DEEPEST} levels at {}.", self.here());
            return Err(SqlError::new("EXCEEDED_LIMIT_LENGTH", "54006", message));
        }
        self.depth += 1;
        let read = self.data_type_here();
        self.depth -= 1;
        read
    }

    fn data_type_here(&mut self) -> Result<DataType, SqlError> {
        let word = self.name()?;
        match word.to_uppercase().as_str() {
            "DECIMAL" | "DEC" | "NUMERIC" => {
                let numbers = if self.symbol('(') { self.list(Self::number)? } else { vec![10, 0] };
                Ok(DataType::Decimal(numbers[0], numbers.get(1).copied().unwrap_or(0)))
            }
            "CHAR" | "CHARACTER" => Ok(DataType::Char(self.length()?)),
            "VARCHAR" => Ok(DataType::Varchar(self.length()?)),
            "ARRAY" => {
                self.need_symbol('<')?;
                let element = self.data_type()?;
                self.need_symbol('>')?;
                Ok(DataType::Array(Box::new(element)))
            }
            "MAP" => {
                self.need_symbol('<')?;
                let key = self.data_type()?;
                self.need_symbol(',')?;
                let value = self.data_type()?;
                self.need_symbol('>')?;
                Ok(DataType::Map(Box::new(key), Box::new(value)))
            }
            "STRUCT" => {
                self.need_symbol('<')?;
                let mut members = Vec::new();
                while !self.symbol('>') {
                    if !members.is_empty() {
                        self.need_symbol(',')?;
                    }
                    members.push(self.member()?);
                }
                Ok(DataType::Struct(members))
            }
            _ => DataType::simple(&word).ok_or_else(|| {
                SqlError::new(
                    "UNSUPPORTED_DATATYPE",
                    "0A000",
                    format!("Unsupported data type \"{}\".", word.to_uppercase()),
                )
            }),
        }
    }

    fn member(&mut self) -> Result<Member, SqlError> {
        let name = self.name()?;
        self.symbol(':');
        let mut member = Member { name, ty: self.data_type()?, nullable: true, comment: None };
        loop {
            if self.words(&["NOT", "NULL"]) {
                member.nullable = false;
            } else if self.word("COMMENT") {
                member.comment = Some(self.literal()?);
            } else {
                return Ok(member);
            }
        }
    }

    fn length(&mut self) -> Result<u32, SqlError> {
        self.need_symbol('(')?;
        let length = self.number()?;
        self.need_symbol(')')?;
        Ok(length)
    }

    fn properties(&mut self) -> Result<Vec<(String, String)>, SqlError> {
        self.need_symbol('(')?;
        self.list(|parser| {
            let key = parser.key()?;
            parser.symbol('=');
            let Some(Kind::Text(value) | Kind::Word(value) | Kind::Number(value)) = parser.peek().cloned() else {
                return Err(parser.unexpected());
            };
            parser.at += 1;
            Ok((key, value))
        })
    }

    /// A property's name: a literal, or dotted words.
    fn key(&mut self) -> Result<String, SqlError> {
        if let Some(Kind::Text(key)) = self.peek().cloned() {
            self.at += 1;
            return Ok(key);
        }
        Ok(self.qualified_parts()?.join("."))
    }

    fn names(&mut self) -> Result<Vec<String>, SqlError> {
        self.need_symbol('(')?;
        self.list(Self::name)
    }

    /// Items up to the closing parenthesis; the opening one is read.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, SqlError>) -> Result<Vec<T>, SqlError> {
        let items = self.rest(item)?;
        self.need_symbol(')')?;
        Ok(items)
    }

    fn rest<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, SqlError>) -> Result<Vec<T>, SqlError> {
        let mut items = vec![item(self)?];
        while self.symbol(',') {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A name of one to three parts, lower-cased as the catalog keeps it.
    fn qualified(&mut self) -> Result<Vec<String>, SqlError> {
        let parts = self.qualified_parts()?;
        if parts.len() > 3 {
            Err(self.unexpected())
        } else {
            Ok(parts.iter().map(|part| part.to_lowercase()).collect())
        }
    }

    fn qualified_parts(&mut self) -> Result<Vec<String>, SqlError> {
        let mut parts = vec![self.name()?];
        while self.symbol('.') {
            parts.push(self.name()?);
        }
        Ok(parts)
    }

    fn column_word(&mut self) -> Result<(), SqlError> {
        if self.word("COLUMN") || self.word("COLUMNS") { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The text of an expression: up to a comma, a clause of the column, or the end of the list.
    fn expression(&mut self) -> String {
        let first = self.at;
        let mut depth = 0;
        while let Some(token) = self.tokens.get(self.at) {
            let ends = |word: &str| {
                ["COMMENT", "NOT", "FIRST", "AFTER", "GENERATED"].iter().any(|end| word.eq_ignore_ascii_case(end))
            };
            match &token.kind {
                Kind::Symbol('(') => depth += 1,
                Kind::Symbol(')' | ',' | ';') if depth == 0 => break,
                Kind::Symbol(')') => depth -= 1,
                Kind::Word(word) if depth == 0 && ends(word) => break,
                _ => {}
            }
            self.at += 1;
        }
        if first == self.at {
            return String::new();
        }
        self.sql[self.tokens[first].start..self.tokens[self.at - 1].end].to_owned()
    }

    fn name(&mut self) -> Result<String, SqlError> {
        match self.peek().cloned() {
            Some(Kind::Word(name) | Kind::Name(name)) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn literal(&mut self) -> Result<String, SqlError> {
        match self.peek().cloned() {
            Some(Kind::Text(text)) => {
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Result<u32, SqlError> {
        let number = match self.peek() {
            Some(Kind::Number(number)) => number.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(number)
    }

    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn word(&mut self, wanted: &str) -> bool {
        self.words(&[wanted])
    }

    /// Takes these keywords if they all come next.
    fn words(&mut self, wanted: &[&str]) -> bool {
        let next = self.tokens.iter().skip(self.at).map(|token| &token.kind);
        let fits = next
            .zip(wanted)
            .filter(|(kind, wanted)| matches!(kind, Kind::Word(word) if word.eq_ignore_ascii_case(wanted)));
        let fits = fits.count() == wanted.len();
        if fits {
            self.at += wanted.len();
        }
        fits
    }

    fn symbol(&mut self, wanted: char) -> bool {
        let fits = self.peek() == Some(&Kind::Symbol(wanted));
        self.at += usize::from(fits);
        fits
    }

    fn need(&mut self, wanted: &str) -> Result<(), SqlError> {
        if self.word(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn need_symbol(&mut self, wanted: char) -> Result<(), SqlError> {
        if self.symbol(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> SqlError {
        SqlError::syntax(&self.here())
    }

    /// What comes next, in words.
    fn here(&self) -> String {
        match self.tokens.get(self.at) {
            Some(token) => format!("'{}'", &self.sql[token.start..token.end]),
            None => "end of input".to_owned(),
        }
    }
}
