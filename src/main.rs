//! The command line of Longhaul.

use std::process::ExitCode;

use longhaul::server::config::{Cli, Config, LogFormat, Task};
use longhaul::server::serve::{asked_to_stop, serve};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let task = Cli::read().task.unwrap_or(Task::Serve(Box::default()));
    let outcome = match task {
        Task::Serve(options) => run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("longhaul: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &longhaul::server::config::Options) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::load(options)?;
    log(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(config, asked_to_stop()));
    // A disk that hangs does not keep a process whose time is up.
    runtime.shutdown_background();
    Ok(served?)
}

fn log(config: &Config) {
    let filter = EnvFilter::new(&config.log);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
