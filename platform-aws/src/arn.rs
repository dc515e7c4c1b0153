//! Partitions of AWS: the first part of every ARN. GovCloud and China are clouds of their own.

use std::sync::Arc;

use platform_sdk::{Expr, Function, Input, Output};

/// Where everybody is who is nowhere else.
pub(crate) const COMMERCIAL: &str = "aws";

/// The partition of a region.
pub(crate) fn of_region(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
        _ => COMMERCIAL,
    }
}

/// The partition that an ARN names; that of everybody for what is no ARN.
pub(crate) fn partition(arn: &str) -> &str {
    let named = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').next());
    named.filter(|partition| partition.starts_with(COMMERCIAL)).unwrap_or(COMMERCIAL)
}

/// The partition of an ARN that may not be known yet.
pub(crate) fn partition_of(arn: &Input<String>) -> Input<String> {
    match arn {
        Input::Value(arn) => Input::Value(partition(arn).to_owned()),
        Input::Output(arn) => {
            let call = |arn: serde_json::Value| Ok(partition(arn.as_str().unwrap_or_default()).into());
            // It stands in plans and hashes by its name, not by the place of this line.
            let function = Arc::new(Function { at: "partition".to_owned(), call: Arc::new(call) });
            Input::Output(Output::from_expr(Expr::Apply { source: Box::new(arn.expr().clone()), function }))
        }
    }
}

/// What follows the partition in an ARN of this service: `iam::123456789012:root`.
pub(crate) fn below<'a>(arn: &'a str, service: &str) -> Option<&'a str> {
    let (partition, rest) = arn.strip_prefix("arn:")?.split_once(':')?;
    (partition.starts_with(COMMERCIAL) && rest.strip_prefix(service)?.starts_with(':')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_and_an_arn_name_their_partition() {
        for (region, name) in [
            ("eu-west-1", "aws"),
            ("us-east-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-north-1", "aws-cn"),
            ("", "aws"),
        ] {
            assert_eq!(of_region(region), name, "{region}");
            assert_eq!(partition(&format!("arn:{name}:iam::1:role/x")), name);
        }
        for text in ["", "123456789012", "arn:other:iam::1:role/x", "AROA1"] {
            assert_eq!(partition(text), "aws", "{text}");
        }
        assert_eq!(below("arn:aws-cn:s3:::lake", "s3"), Some("s3:::lake"));
        assert_eq!((below("arn:aws:s3:::lake", "iam"), below("lake", "s3")), (None, None));
    }
}
