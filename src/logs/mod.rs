//! Lines of logs: what they are, and what else happens while they are read; pure.

mod entry;
mod exception;
mod filter;
mod group;
mod json;
mod known;
mod last_words;
mod order;
mod parse;
mod pipeline;
mod record;
mod render;
mod stdin;
#[cfg(test)]
mod tests;
mod traceback;
mod unit;
mod view;

pub use self::{
    entry::{Entry, Event, Source},
    filter::{Filter, Id, REQUEST_FIELDS, TASK_FIELDS, regex},
    last_words::{LastWords, last_words},
    pipeline::{Counts, Format, Options, Out, Piece, Pipeline},
    record::Level,
    render::{Json, TextOptions},
};
