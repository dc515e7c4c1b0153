//! `Statement`: one permission of a policy document, with its principals and conditions.

use std::collections::BTreeMap;

use platform_sdk::{Expr, Input, IntoInput, ToExpr, names};

/// Whether a statement grants or takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It grants.
    Allow,
    /// It takes away, whatever others grant.
    Deny,
}

/// Whom a statement is about. Only resource-based policies have principals: trust policies and bucket policies.
#[derive(Debug, Clone)]
pub enum Principal {
    /// Everyone.
    Anyone,
    /// An account id, or the ARN of an account, role, user or session.
    Aws(Input<String>),
    /// A service of AWS: `ec2.amazonaws.com`.
    Service(Input<String>),
    /// An identity provider: its ARN or its name.
    Federated(Input<String>),
}

impl Principal {
    /// An account id, or the ARN of an account, role, user or session.
    pub fn aws(principal: impl IntoInput<String>) -> Self {
        Self::Aws(principal.into_input())
    }

    /// A service of AWS: `ec2.amazonaws.com`.
    pub fn service(name: impl IntoInput<String>) -> Self {
        Self::Service(name.into_input())
    }

    /// An identity provider: its ARN or its name.
    pub fn federated(provider: impl IntoInput<String>) -> Self {
        Self::Federated(provider.into_input())
    }

    fn entry(&self) -> (&'static str, Expr) {
        match self {
            Self::Anyone => ("AWS", Expr::Value("*".into())),
            Self::Aws(principal) => ("AWS", principal.to_expr()),
            Self::Service(name) => ("Service", name.to_expr()),
            Self::Federated(provider) => ("Federated", provider.to_expr()),
        }
    }
}

names! {
    /// How a condition compares.
    pub open enum ConditionOperator {
        /// Equal ARNs; `*` and `?` are wildcards within a part.
        ArnEquals = "ArnEquals",
        /// The same as `ArnEquals`.
        ArnLike = "ArnLike",
        /// `true` or `false`.
        Bool = "Bool",
        /// An address in a range.
        IpAddress = "IpAddress",
        /// The key is absent (`true`) or present (`false`).
        Null = "Null",
        /// Equal text.
        StringEquals = "StringEquals",
        /// Equal text, whatever its case.
        StringEqualsIgnoreCase = "StringEqualsIgnoreCase",
        /// Text with `*` and `?`.
        StringLike = "StringLike",
        /// Other text.
        StringNotEquals = "StringNotEquals",
        /// Text that does not match `*` and `?`.
        StringNotLike = "StringNotLike",
    }
}

type Conditions = BTreeMap<ConditionOperator, BTreeMap<String, Vec<Input<String>>>>;

/// One statement of a policy document.
///
/// ```
/// use platform_aws::policy::{ConditionOperator, Principal, Statement};
///
/// let statement = Statement::allow()
///     .principal(Principal::aws("123456789012"))
///     .action("sts:AssumeRole")
///     .condition(ConditionOperator::StringEquals, "sts:ExternalId", "hf28");
/// ```
#[derive(Debug, Clone)]
pub struct Statement {
    /// A name for people; letters and digits.
    pub sid: Option<String>,
    /// Whether it grants or takes away.
    pub effect: Effect,
    /// Whom it is about; none in policies that are attached to an identity.
    pub principals: Vec<Principal>,
    /// What may be done: `s3:GetObject`, `s3:*`.
    pub actions: Vec<Input<String>>,
    /// On what: ARNs, with wildcards; none in trust policies.
    pub resources: Vec<Input<String>>,
    /// When: values by operator and key, all of which must hold.
    pub conditions: Conditions,
}

impl Statement {
    /// A statement that grants; nothing yet.
    pub fn allow() -> Self {
        Self::with(Effect::Allow)
    }

    /// A statement that takes away; nothing yet.
    pub fn deny() -> Self {
        Self::with(Effect::Deny)
    }

    fn with(effect: Effect) -> Self {
        Self {
            sid: None,
            effect,
            principals: Vec::new(),
            actions: Vec::new(),
            resources: Vec::new(),
            conditions: Conditions::new(),
        }
    }

    /// A name for people; letters and digits.
    pub fn sid(mut self, sid: &str) -> Self {
        self.sid = Some(sid.to_owned());
        self
    }

    /// With one more principal.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principals.push(principal);
        self
    }

    /// With one more action.
    pub fn action(mut self, action: impl IntoInput<String>) -> Self {
        self.actions.push(action.into_input());
        self
    }

    /// With more actions.
    pub fn actions<A: IntoInput<String>>(mut self, actions: impl IntoIterator<Item = A>) -> Self {
        self.actions.extend(actions.into_iter().map(IntoInput::into_input));
        self
    }

    /// With one more resource.
    pub fn resource(mut self, arn: impl IntoInput<String>) -> Self {
        self.resources.push(arn.into_input());
        self
    }

    /// With more resources.
    pub fn resources<A: IntoInput<String>>(mut self, arns: impl IntoIterator<Item = A>) -> Self {
        self.resources.extend(arns.into_iter().map(IntoInput::into_input));
        self
    }

    /// With one more condition. Several values for the same operator and key are alternatives.
    pub fn condition(mut self, operator: ConditionOperator, key: &str, value: impl IntoInput<String>) -> Self {
        let keys = self.conditions.entry(operator).or_default();
        keys.entry(key.to_owned()).or_default().push(value.into_input());
        self
    }

    pub(super) fn into_expr(self) -> Expr {
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let mut entries = vec![("Effect".into(), Expr::Value(effect.into()))];
        let mut put = |key: &str, expr: Option<Expr>| entries.extend(expr.map(|expr| (key.into(), expr)));
        put("Sid", self.sid.map(|sid| Expr::Value(sid.into())));
        put("Principal", principals(&self.principals));
        put("Action", one_or_many(exprs(&self.actions)));
        put("Resource", one_or_many(exprs(&self.resources)));
        put("Condition", conditions(&self.conditions));
        Expr::map(entries)
    }
}

fn exprs(inputs: &[Input<String>]) -> Vec<Expr> {
    inputs.iter().map(ToExpr::to_expr).collect()
}

/// As AWS's own examples write it: a single value stands alone.
fn one_or_many(mut exprs: Vec<Expr>) -> Option<Expr> {
    match exprs.len() {
        0 => None,
        1 => exprs.pop(),
        _ => Some(Expr::List(exprs)),
    }
}

fn principals(principals: &[Principal]) -> Option<Expr> {
    let mut kinds: BTreeMap<&str, Vec<Expr>> = BTreeMap::new();
    for (kind, expr) in principals.iter().map(Principal::entry) {
        kinds.entry(kind).or_default().push(expr);
    }
    let kinds: Vec<_> =
        kinds.into_iter().filter_map(|(kind, exprs)| Some((kind.into(), one_or_many(exprs)?))).collect();
    (!kinds.is_empty()).then(|| Expr::map(kinds))
}

fn conditions(conditions: &Conditions) -> Option<Expr> {
    let keys = |keys: &BTreeMap<String, Vec<Input<String>>>| {
        Expr::map(keys.iter().filter_map(|(key, values)| Some((key.into(), one_or_many(exprs(values))?))))
    };
    let operators = conditions.iter().map(|(operator, entries)| (operator.to_string().into(), keys(entries)));
    (!conditions.is_empty()).then(|| Expr::map(operators))
}
