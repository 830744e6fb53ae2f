//! The door from outside: bytes in, bytes out, over the double.

mod client;
mod http;
mod quiet;
mod stdio;
