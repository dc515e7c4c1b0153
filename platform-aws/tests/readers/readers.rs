//! The readers of outside bytes of this crate, each as a function of bytes.

use std::{cell::RefCell, fs, path::PathBuf};

use platform_aws::{
    Aws,
    policy::{PolicyDocument, normalize},
    sandbox::AwsSandbox,
};
use platform_sdk::{
    Provider as _,
    provider::Connect,
    sandbox::{Service as _, World},
    testing::raw_request,
};
use serde_json::{Value, json};

/// A world with a bucket, an object in it and a role.
fn world() -> World {
    thread_local! {
        static SEEDED: RefCell<Option<World>> = const { RefCell::new(None) };
    }
    let make = || {
        let mut world = World::at(1_800_000_000_000);
        AwsSandbox.seed(&mut world);
        let signed = |service: &str| {
            let scope = format!("A/20261201/us-east-1/{service}/aws4_request");
            format!("authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
        };
        let (s3, iam) = (signed("s3"), signed("iam"));
        let form = "content-type: application/x-www-form-urlencoded";
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;
        let role = format!("Action=CreateRole&Version=2010-05-08&RoleName=there&AssumeRolePolicyDocument={trust}");
        for raw in [
            format!("PUT /there\n{s3}\n\n"),
            format!("PUT /there/a\n{s3}\n\nx"),
            format!("POST /\n{form}\n{iam}\n\n{role}"),
        ] {
            let answer = AwsSandbox.handle(&raw_request(raw.as_bytes()), &mut world);
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        }
        world
    };
    SEEDED.with_borrow_mut(|seeded| seeded.get_or_insert_with(make).clone())
}

/// What anybody sends to the sandbox.
pub(crate) fn sandbox(bytes: &[u8]) {
    let request = raw_request(bytes);
    let answer = AwsSandbox.handle(&request, &mut world());
    assert!((200..600).contains(&answer.status) && answer.status != 500, "{request:?}");
    drop(AwsSandbox.loggable_body(&request));
    let _ = AwsSandbox.is_read(&request);
}

/// A policy document, as IAM gives it back or a program has it from a file.
pub(crate) fn policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    drop(PolicyDocument::parse(&text));
    let once = normalize(Value::String(text.into_owned()));
    assert_eq!(normalize(once.clone()), once, "what is normal stays as it is");
}

/// The files that all tools of AWS share.
pub(crate) fn profile(bytes: &[u8]) {
    thread_local! {
        static FILE: PathBuf = std::env::temp_dir().join(format!("aws-config-{}", std::process::id()));
    }
    FILE.with(|file| {
        fs::write(file, bytes).expect("a file that can be written");
        let path = file.display().to_string();
        let environment =
            ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|name| (name.to_owned(), path.clone()));
        let mut connect = Connect { environment: environment.into(), sandbox: None };
        for name in ["default", "prod"] {
            connect.environment.insert("AWS_PROFILE".to_owned(), name.to_owned());
            drop(Aws::from_env().connector().check_credentials(&json!({}), &connect));
        }
        let _ = fs::remove_file(file);
    });
}
