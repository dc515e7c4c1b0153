//! What stands between a report and its stream: a terminal gets our colours and nothing else that steers it, lines of
//! prose broken at spaces; a pipe or a file gets every byte as it is.

use std::io::{self, ErrorKind, IsTerminal, Write};

use super::{style::for_terminal, wrap::wrapped};

/// A stream that somebody may have stopped reading.
pub(super) struct Sink {
    stream: Box<dyn Write + Send>,
    /// The columns of the terminal that it is.
    columns: Option<usize>,
    colour: bool,
    closed: bool,
    /// Why not all could be written.
    pub(super) failure: Option<io::Error>,
}

impl Sink {
    pub(super) fn new(stream: Box<dyn Write + Send>, columns: Option<usize>, colour: bool) -> Self {
        Self { stream, columns, colour, closed: false, failure: None }
    }

    /// Data: its lines stay as they are.
    pub(super) fn write(&mut self, text: &str) {
        if self.columns.is_some() || self.colour {
            self.put(&for_terminal(text, self.colour));
        } else {
            self.put(text);
        }
    }

    /// Prose.
    pub(super) fn write_prose(&mut self, text: &str) {
        match self.columns {
            Some(columns) => self.write(&wrapped(text, columns)),
            None => self.write(text),
        }
    }

    /// A closed pipe ends the writing, not the command: what it does has to be done to its end.
    pub(super) fn put(&mut self, text: &str) {
        if self.closed {
            return;
        }
        if let Err(error) = self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush()) {
            self.closed = true;
            if error.kind() != ErrorKind::BrokenPipe {
                self.failure = Some(error);
            }
        }
    }
}

/// Stderr for log lines, which quote what services say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stream = io::stderr();
        if stream.is_terminal() {
            let text = String::from_utf8_lossy(bytes);
            stream.write_all(for_terminal(&text, false).as_bytes())?;
        } else {
            stream.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
