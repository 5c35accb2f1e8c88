//! The command line of Longhaul.

use std::process::ExitCode;

use longhaul::cli::{Cli, Task};
use longhaul::native;
use longhaul::native::words::complain;
use longhaul::server::config::{self, Config, LogFormat};
use longhaul::server::serve::{asked_to_stop, serve};
use tikv_jemallocator::Jemalloc;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::EnvFilter;

/// What it does with memory is set in `.cargo/config.toml`.
#[global_allocator]
static MEMORY: Jemalloc = Jemalloc;

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let task = Cli::read().task.unwrap_or(Task::Serve(Box::default()));
    let outcome = match task {
        Task::Serve(options) => run_server(&options),
        Task::Send(options) => run_client(&options),
    };
    outcome.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::FAILURE
    })
}

fn run_server(options: &config::Options) -> Outcome {
    let config = Config::load(options)?;
    log(&config);
    let runtime = runtime()?;
    let served = runtime.block_on(async { serve(config, asked_to_stop()).await });
    // A disk that hangs does not keep a process whose time is up.
    runtime.shutdown_background();
    served?;
    Ok(ExitCode::SUCCESS)
}

fn run_client(options: &native::command::Options) -> Outcome {
    let runtime = runtime()?;
    let code = runtime.block_on(async { native::command::run(options, asked_to_stop()).await });
    // A read that hangs in the system holds nobody up.
    runtime.shutdown_background();
    Ok(code)
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
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
