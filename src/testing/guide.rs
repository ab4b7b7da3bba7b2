//! How to test code that deploys. Its examples use all platforms and the sandbox.
//!
#![cfg_attr(
    all(
        feature = "dployr",
        feature = "edgegap",
        feature = "nexlayer",
        feature = "nodion"
    ),
    doc = include_str!("guide.md")
)]
