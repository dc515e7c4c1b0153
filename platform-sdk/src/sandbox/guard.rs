//! Who is answered: programs of this machine, and no web page, whichever way its browser was led here.
//!
//! A page can send requests to loopback, and by a name of its own that leads there (DNS rebinding) even read the answers.
//! Its browser then says so: in `Host`, in `Origin`, in `Sec-Fetch-Site`; and a header of the sandbox's own it sends to no
//! other origin without asking first, which is refused too.

use std::net::Ipv4Addr;

use serde_json::json;

use super::{Request, Response, Service, control};

/// What the kit's own requests carry, so that no web page can send them.
pub(super) const HEADER: &str = "x-platform-sandbox";

/// Why a request is not answered, going by its head.
pub(super) fn refusal(service: &dyn Service, request: &Request) -> Option<Response> {
    let Some(host) = request.header("host") else { return Some(refused("it names no host")) };
    let name = name_of(host);
    if !(is_loopback(name) || service.is_its_name(name)) {
        return Some(refused(&format!("`{host}` is not this machine")));
    }
    let own = |origin: &str| origin.strip_prefix("http://").is_some_and(|named| named == host);
    if request.header("origin").is_some_and(|origin| !own(origin)) {
        return Some(refused("a web page asks"));
    }
    if request.header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Some(refused("a web page asks"));
    }
    let unmarked = control::is_control(request) && request.header(HEADER).is_none();
    unmarked.then(|| refused(&format!("the sandbox's own requests need the header `{HEADER}: 1`")))
}

/// How a body that is too large is refused.
pub(super) fn too_large(most: usize) -> Response {
    Response::json(413, &json!({"error": format!("the body has more than {} MiB", most >> 20)}))
}

fn refused(why: &str) -> Response {
    Response::json(403, &json!({"error": format!("the sandbox answers programs of this machine only: {why}")}))
}

/// The host without its port; nothing where what follows is no port, as where two hosts are named.
fn name_of(host: &str) -> &str {
    let end = if host.starts_with('[') { host.find(']').map(|at| at + 1) } else { host.find(':') };
    let (name, port) = host.split_at(end.unwrap_or(host.len()));
    let is_port = port.strip_prefix(':').unwrap_or(port).bytes().all(|byte| byte.is_ascii_digit());
    if is_port { name } else { "" }
}

fn is_loopback(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_address = name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    is_address || name == "localhost" || name.ends_with(".localhost") || name == "[::1]"
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, name_of};

    #[test]
    fn only_names_that_no_name_server_can_lead_elsewhere_are_this_machine() {
        for host in ["127.0.0.1:8080", "127.1.2.3", "localhost", "LOCALHOST:1", "lake.localhost:8080", "[::1]:80"] {
            assert!(is_loopback(name_of(host)), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "127.evil.example:80",
            "notlocalhost",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:127.0.0.1]",
            "",
            ":80",
            "127.0.0.1, evil.example",
            "localhost@evil",
        ] {
            assert!(!is_loopback(name_of(host)), "{host}");
        }
    }
}
