//! `kdj db ENV dump`: a dump of a database, streamed to a file or to stdout.

use std::path::PathBuf;

use super::PlaceArgs;
use crate::{
    commands::args::{ChangeArgs, ClientArg},
    config::Config,
    database::{self, DumpRequest},
    error::Result,
    exit::Exit,
    options::Options,
    ui::Ui,
};

#[derive(Debug, clap::Args)]
pub(super) struct DumpArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Leave all rows out
    #[arg(long)]
    schema_only: bool,

    /// Leave the rows of this table out; may be given more than once
    #[arg(long, value_name = "TABLE")]
    exclude_table_data: Vec<String>,

    /// SQL, or what pg_restore reads
    #[arg(long, value_enum, default_value = "plain")]
    format: DumpFormat,

    /// File to write; it is there only when all of the dump is (default: stdout)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Where the program runs (default: in the image, else here through a tunnel, else in a toolbox)
    #[arg(long, value_name = "WHERE")]
    client: Option<ClientArg>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// A form of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum DumpFormat {
    /// SQL
    Plain,
    /// PostgreSQL's own, for pg_restore
    Custom,
}

pub(super) async fn run(
    environment: String,
    args: DumpArgs,
    options: &Options,
    config: &Config,
    ui: &Ui,
) -> Result<Exit> {
    let request = DumpRequest {
        environment,
        wanted: args.place.wanted(),
        alias: args.place.database,
        schema_only: args.schema_only,
        without_rows: args.exclude_table_data,
        custom: args.format == DumpFormat::Custom,
        file: args.output,
        client: args.client.map(ClientArg::place),
        consent: args.change.consent(),
    };
    database::dump(request, options, config, ui).await
}
