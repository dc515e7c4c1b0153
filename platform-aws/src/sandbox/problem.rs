//! Refusals, and how each protocol words them.

use platform_sdk::sandbox::{Request, Response};

use super::{HOST_ID, xml::Xml};

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Problem {
    status: u16,
    code: &'static str,
    message: String,
    details: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    /// With one more element in the error, such as `BucketName`.
    pub(super) fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// With one more header.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As S3 answers. An answer to HEAD has no body, so the code can't be told.
    pub(super) fn into_s3(self, request: &Request, request_id: &str) -> Response {
        let mut error = Xml::default();
        error.element("Error", |error| {
            error.text("Code", self.code).text("Message", &self.message);
            for (name, value) in &self.details {
                error.text(name, value);
            }
            error.text("RequestId", request_id).text("HostId", HOST_ID);
        });
        let bodiless = request.method == "HEAD" || self.status == 304;
        let mut response = if bodiless {
            Response::empty(self.status).header("content-type", "application/xml")
        } else {
            Response::xml(self.status, error.into_document())
        };
        response = response.header("x-amz-request-id", request_id).header("x-amz-id-2", HOST_ID);
        self.headers.into_iter().fold(response, |response, (name, value)| response.header(name, value))
    }

    /// As the query services answer.
    pub(super) fn into_query(self, request_id: &str) -> Response {
        let mut answer = Xml::default();
        answer.element_of("ErrorResponse", "https://iam.amazonaws.com/doc/2010-05-08/", |answer| {
            answer.element("Error", |error| {
                error.text("Type", if self.status < 500 { "Sender" } else { "Receiver" });
                error.text("Code", self.code).text("Message", &self.message);
            });
            answer.text("RequestId", request_id);
        });
        Response::xml(self.status, answer.into_document()).header("x-amzn-requestid", request_id)
    }
}
