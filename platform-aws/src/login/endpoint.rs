//! Endpoints that replace the real ones, and whether S3 must be addressed by path there.

use std::{collections::BTreeMap, net::IpAddr};

use super::{Settings, profile::Profile};

/// One endpoint a service, where something other than AWS itself is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) s3: Option<String>,
    pub(crate) iam: Option<String>,
    pub(crate) kms: Option<String>,
    pub(crate) sts: Option<String>,
}

impl Endpoints {
    /// The same endpoint for every service.
    pub(crate) fn all(url: &str) -> Self {
        let url = Some(url.to_owned());
        Self { s3: url.clone(), iam: url.clone(), kms: url.clone(), sts: url }
    }

    /// By AWS's own precedence: the program, then the service's variable, the general one, the profile.
    pub(super) fn of(settings: &Settings, environment: &BTreeMap<String, String>, profile: Option<&Profile>) -> Self {
        if let Some(url) = &settings.endpoint {
            return Self::all(url);
        }
        let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
        if set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Self::default();
        }
        let service = |name: &str| {
            set(&format!("AWS_ENDPOINT_URL_{name}"))
                .or_else(|| set("AWS_ENDPOINT_URL"))
                .or_else(|| profile.and_then(|profile| profile.get("endpoint_url").cloned()))
        };
        Self { s3: service("S3"), iam: service("IAM"), kms: service("KMS"), sts: service("STS") }
    }

    /// The first endpoint to which a request would go in clear, though it is not on this machine and its host is not
    /// named in `PLATFORM_ALLOW_HTTP`.
    pub(super) fn in_clear(&self, environment: &BTreeMap<String, String>) -> Option<&str> {
        let allowed = environment.get(ALLOW_HTTP).map(String::as_str).unwrap_or_default();
        let may = |host: &str| allowed.split(',').any(|name| name.trim().eq_ignore_ascii_case(host));
        let all = [&self.s3, &self.iam, &self.kms, &self.sts].into_iter().flatten();
        let mut in_clear = all.filter(|url| {
            let is_http = url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
            is_http && !is_loopback(host_of(url)) && !may(host_of(url))
        });
        in_clear.next().map(String::as_str)
    }

    /// The endpoints that differ from AWS's own, for people: `("endpoint", "http://127.0.0.1:4566")`.
    pub(crate) fn shown(&self) -> Vec<(String, String)> {
        if self.s3 == self.iam && self.iam == self.sts {
            return self.s3.iter().map(|url| ("endpoint".to_owned(), url.clone())).collect();
        }
        let named = [("s3", &self.s3), ("iam", &self.iam), ("sts", &self.sts)];
        named.iter().filter_map(|(name, url)| Some((format!("endpoint of {name}"), (*url).clone()?))).collect()
    }
}

/// The variable that names hosts, separated by commas, to which requests may be sent in clear.
pub(super) const ALLOW_HTTP: &str = "PLATFORM_ALLOW_HTTP";

/// The name or address in a URL, without port and login.
pub(super) fn host_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// Whether buckets can't be subdomains of this endpoint: its host is an address or this machine.
#[cfg(any(feature = "s3", test))]
pub(crate) fn wants_path_style(url: &str) -> bool {
    let host = host_of(url);
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn buckets_stand_in_the_path_of_addresses_and_of_this_machine() {
        for url in ["http://127.0.0.1:4566", "http://localhost:9000/", "https://[::1]:1", "http://s3.localhost"] {
            assert!(wants_path_style(url), "{url}");
        }
        for url in ["https://s3.eu-west-1.amazonaws.com", "https://minio.example.com:9000"] {
            assert!(!wants_path_style(url), "{url}");
        }
    }

    #[test]
    fn the_service_s_own_variable_wins_over_the_general_one_and_the_program_over_both() {
        let given = environment(&[("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_S3", "http://s3")]);
        let endpoints = Endpoints::of(&Settings::default(), &given, None);
        assert_eq!(endpoints.s3.as_deref(), Some("http://s3"));
        assert_eq!(endpoints.iam.as_deref(), Some("http://all"));
        let settings = Settings { endpoint: Some("http://mine".into()), ..Settings::default() };
        assert_eq!(Endpoints::of(&settings, &given, None), Endpoints::all("http://mine"));
    }

    #[test]
    fn only_this_machine_and_named_hosts_are_asked_in_clear() {
        for url in [
            "https://minio.example",
            "http://127.0.0.1:4566",
            "http://localhost:9000/",
            "http://[::1]:1",
            "http://s3.localhost",
        ] {
            assert_eq!(Endpoints::all(url).in_clear(&environment(&[])), None, "{url}");
        }
        for url in [
            "http://minio.example:9000",
            "HTTP://minio.example",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "http://localhost@evil.example",
            "http://127.0.0.1@evil.example/",
            "http://169.254.169.254",
        ] {
            assert_eq!(Endpoints::all(url).in_clear(&environment(&[(ALLOW_HTTP, "1,other")])), Some(url));
        }
        let named = environment(&[(ALLOW_HTTP, "other, minio.example")]);
        assert_eq!(Endpoints::all("http://minio.example:9000").in_clear(&named), None);
        let one = Endpoints { kms: Some("http://kms.example".into()), ..Endpoints::default() };
        assert_eq!(one.in_clear(&named), Some("http://kms.example"), "each service counts");
    }

    #[test]
    fn configured_endpoints_can_be_switched_off() {
        let given = environment(&[("AWS_ENDPOINT_URL", "http://all"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]);
        assert_eq!(Endpoints::of(&Settings::default(), &given, None), Endpoints::default());
    }
}
