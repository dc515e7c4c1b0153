//! The measured graphs: who refers to whom. The same for our program and for Terraform's.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

/// How many layers the layered graph has.
const LAYERS: usize = 10;

/// What every resource says about itself, beside the one that it refers to.
pub(crate) const OWNER: &str = "data-platform";

/// A line of text of its own for each.
pub(crate) fn comment(name: &str) -> String {
    format!("Part {name} of a graph that is measured")
}

/// How resources refer to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Ten layers of the same width; each resource refers to one of the layer before.
    Layered,
    /// Each resource refers to the one before.
    Chain,
}

/// One graph: its shape and how many resources it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Graph {
    /// Its shape.
    pub shape: Shape,
    /// How many resources.
    pub size: usize,
}

impl Graph {
    /// The name of a resource.
    pub fn name(index: usize) -> String {
        format!("r{index}")
    }

    /// The resource that this one refers to; `None` for one that refers to nothing. Always an earlier one.
    pub fn before(&self, index: usize) -> Option<usize> {
        match self.shape {
            Shape::Chain => index.checked_sub(1),
            Shape::Layered => {
                let width = self.size.div_ceil(LAYERS).max(1);
                let layer = (index / width).checked_sub(1)?;
                // Another place than straight below, so that no two columns are alone with each other.
                Some(layer * width + (index % width * 7 + 3) % width)
            }
        }
    }
}

impl Graph {
    /// The same graph for Terraform, of its built-in resource without an API.
    pub fn terraform(&self) -> String {
        let mut text = String::new();
        for index in 0..self.size {
            let name = Self::name(index);
            let before = self.before(index);
            let before = before.map_or("null".to_owned(), |before| format!("terraform_data.{}.id", Self::name(before)));
            let _ = write!(
                text,
                r#"resource "terraform_data" "{name}" {{
  input = {{
    name    = "{name}"
    before  = {before}
    index   = {index}
    owner   = "{OWNER}"
    comment = "{}"
    active  = true
  }}
}}
"#,
                comment(&name)
            );
        }
        text
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match self.shape {
            Shape::Layered => "layered",
            Shape::Chain => "chain",
        };
        write!(f, "{shape}:{}", self.size)
    }
}

impl FromStr for Graph {
    type Err = String;

    /// `layered:5000`, `chain:10000`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a graph: `layered:5000` and `chain:10000` are");
        let (shape, size) = text.split_once(':').ok_or_else(wrong)?;
        let shape = match shape {
            "layered" => Shape::Layered,
            "chain" => Shape::Chain,
            _ => return Err(wrong()),
        };
        Ok(Self { shape, size: size.parse().map_err(|_| wrong())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layered_graph_has_ten_layers_and_a_chain_is_as_long_as_it_is_large() {
        for (text, depth) in [("layered:1000", 10), ("chain:1000", 1000)] {
            let graph: Graph = text.parse().expect("a graph");
            let mut depths: Vec<usize> = Vec::new();
            for index in 0..graph.size {
                depths.push(graph.before(index).map_or(1, |before| depths[before] + 1));
            }
            assert_eq!(depths.iter().max(), Some(&depth), "{text}");
            assert_eq!(graph.to_string(), text);
        }
    }

    #[test]
    fn a_graph_that_is_none_is_refused() {
        assert!("ring:3".parse::<Graph>().is_err() && "chain".parse::<Graph>().is_err());
    }
}
