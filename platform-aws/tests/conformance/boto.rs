//! boto3, to look at the results with other eyes and to change things behind the provider's back.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use serde_json::{Value, json};

/// One boto3 process.
pub(crate) struct Boto {
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    child: Child,
}

impl Boto {
    pub(crate) fn start(python: &Path, endpoint: &str, region: &str) -> Self {
        let mut child = Command::new(python)
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/boto.py"), endpoint, region])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("boto3 starts");
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { pipes: Mutex::new((input, output)), child }
    }

    /// Calls an operation: `call("s3", "head_bucket", json!({"Bucket": "raw"}))`. Errors come as `{"error": code}`.
    #[expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]
    pub(crate) fn call(&self, service: &str, operation: &str, arguments: Value) -> Value {
        let mut pipes = self.pipes.lock().expect("nobody panicked in a call");
        let (input, output) = &mut *pipes;
        writeln!(input, "{}", json!([service, operation, arguments])).expect("boto3 listens");
        let mut line = String::new();
        output.read_line(&mut line).expect("boto3 answers");
        serde_json::from_str(&line).expect("an answer")
    }

    /// The same for a call that must succeed.
    pub(crate) fn must(&self, service: &str, operation: &str, arguments: Value) -> Value {
        let answer = self.call(service, operation, arguments);
        assert!(answer.get("error").is_none(), "{service} {operation}: {answer}");
        answer
    }
}

impl Drop for Boto {
    fn drop(&mut self) {
        // It ends by itself with its input; this only reaps it sooner.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
