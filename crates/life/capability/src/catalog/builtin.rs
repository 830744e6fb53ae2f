//! The files of `catalog/`, compiled in. A test checks that none is forgotten.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/../../../catalog/", $name, ".toml"
        )))),*]
    };
}

/// Name and text of each file.
pub(super) const FILES: &[(&str, &str)] = files![
    "airtable",
    "anthropic",
    "asana",
    "aws_s3",
    "bitbucket",
    "clickup",
    "cloudflare",
    "confluence",
    "discord",
    "git",
    "github",
    "gitlab",
    "hubspot",
    "intercom",
    "jira",
    "linear",
    "mailchimp",
    "mailgun",
    "monday",
    "notion",
    "npm",
    "openai",
    "paypal",
    "postmark",
    "resend",
    "salesforce",
    "sendgrid",
    "shopify",
    "slack",
    "square",
    "stripe",
    "supabase",
    "todoist",
    "twilio",
    "zendesk",
];
