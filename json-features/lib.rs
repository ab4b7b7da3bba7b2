//! Tests of deploykit in a program that enables further features of serde_json.
