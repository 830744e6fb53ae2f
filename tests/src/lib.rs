#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod canary;
pub mod counter;
pub mod git;
pub mod home;
pub mod http;
pub mod httpbin;
pub mod mcp;
pub mod mcp_server;
pub mod memory;
pub mod moto;
pub mod nginx;
pub mod oidc;
pub mod place;
pub mod planted;
pub mod random;
pub mod served;
pub mod service;
pub mod upstream;
pub mod verdaccio;
