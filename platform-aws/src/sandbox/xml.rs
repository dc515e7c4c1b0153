//! XML in and out: a small tree that is read strictly, and a writer that escapes.

use std::fmt::Display;

use quick_xml::{
    Reader,
    escape::{escape, resolve_predefined_entity},
    events::{BytesRef, BytesStart, Event},
};

/// How deep documents are read: the settings of a bucket are half a dozen levels deep.
const DEEPEST: usize = 64;

/// An element with its text and children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The only child of that name, or nothing.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the child of that name.
    pub(super) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// All children of that name.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Checks that there are no other children than `once`, at most one of each, and any number of `repeated`.
    pub(super) fn allows(&self, once: &[&str], repeated: &[&str]) -> Result<(), String> {
        for child in &self.children {
            let name = child.name.as_str();
            // Counted only for those that are refused when there are two: a document may have any number of others.
            if !(repeated.contains(&name) || once.contains(&name) && self.children(name).count() == 1) {
                return Err(format!("{name} in {}", self.name));
            }
        }
        Ok(())
    }
}

/// Parses a document whose root has this name.
pub(super) fn parse(root: &str, bytes: &[u8]) -> Result<Element, String> {
    let mut reader = Reader::from_reader(bytes);
    let mut buffer = Vec::new();
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        let event = reader.read_event_into(&mut buffer).map_err(|error| error.to_string())?;
        let depth = open.len();
        let top = open.last_mut().ok_or("elements don't match")?;
        match event {
            Event::Start(_) if depth > DEEPEST => return Err(format!("it nests deeper than {DEEPEST} levels")),
            Event::Start(start) => open.push(named(&start)),
            Event::Empty(start) => top.children.push(named(&start)),
            Event::Text(text) => top.text.push_str(&text.xml10_content()),
            Event::CData(text) => top.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => top.text.push_str(&resolved(&reference)?),
            Event::End(_) => {
                let done = open.pop().ok_or("elements don't match")?;
                open.last_mut().ok_or("elements don't match")?.children.push(done);
            }
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        buffer.clear();
    }
    match (open.pop(), open.is_empty()) {
        (Some(mut document), true) if document.children.len() == 1 && document.children[0].name == root => {
            Ok(document.children.remove(0))
        }
        _ => Err(format!("the root is not {root}")),
    }
}

fn named(start: &BytesStart<'_>) -> Element {
    Element { name: start.local_name().as_ref().to_owned(), ..Element::default() }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let name = reference.xml10_content();
    resolve_predefined_entity(&name).map(str::to_owned).ok_or_else(|| format!("&{name}; is not known"))
}

/// XML being written.
#[derive(Debug, Default)]
pub(super) struct Xml(String);

impl Xml {
    /// `<name>value</name>`, escaped.
    pub(super) fn text(&mut self, name: &str, value: impl Display) -> &mut Self {
        let value = value.to_string();
        self.push(&["<", name, ">", &escape(&value), "</", name, ">"])
    }

    /// Escaped text in the open element.
    pub(super) fn content(&mut self, value: &str) -> &mut Self {
        self.push(&[&escape(value)])
    }

    /// `<name>value</name>`, if there is a value.
    pub(super) fn maybe(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// `<name>...</name>`.
    pub(super) fn element(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.push(&["<", name, ">"]);
        fill(self);
        self.push(&["</", name, ">"])
    }

    /// `<name xmlns="...">...</name>`.
    pub(super) fn element_of(&mut self, name: &str, namespace: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.push(&["<", name, " xmlns=\"", namespace, "\">"]);
        fill(self);
        self.push(&["</", name, ">"])
    }

    /// What another writer wrote.
    pub(super) fn append(&mut self, other: &Self) -> &mut Self {
        self.push(&[&other.0])
    }

    /// With the declaration that starts a document.
    pub(super) fn into_document(self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", self.0)
    }

    fn push(&mut self, parts: &[&str]) -> &mut Self {
        for part in parts {
            self.0.push_str(part);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entities_and_namespaces() {
        let text = br#"<?xml version="1.0"?><Tag xmlns="x"><Key>a&amp;b&#x21;</Key><Value/></Tag>"#;
        let tag = parse("Tag", text).expect("well-formed");
        assert_eq!((tag.child_text("Key"), tag.child_text("Value")), (Some("a&b!"), Some("")));
    }

    #[test]
    fn documents_are_read_to_a_bounded_depth() {
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(parse("a", nested(DEEPEST).as_bytes()).is_ok());
        for depth in [DEEPEST + 1, 1_000, 100_000, 1_000_000] {
            let refused = parse("a", nested(depth).as_bytes());
            assert_eq!(refused, Err("it nests deeper than 64 levels".to_owned()), "{depth}");
            assert!(parse("a", "<a>".repeat(depth).as_bytes()).is_err());
        }
        assert!(parse("a", (nested(DEEPEST) + &nested(1)).as_bytes()).is_err(), "one root");
    }

    #[test]
    fn refuses_what_is_cut_off_or_not_expected() {
        assert!(parse("Tag", b"<Tag><Key>a</Key>").is_err());
        assert!(parse("Tag", b"<Other/>").is_err());
        let twice = parse("Tag", b"<Tag><Key/><Key/></Tag>").expect("well-formed");
        assert!(twice.allows(&["Key"], &[]).is_err() && twice.allows(&[], &["Key"]).is_ok());
    }
}
