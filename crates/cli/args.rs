//! The command line as data.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Molecular dynamics of polymer–oxide interfaces: from an input deck to a diffusion coefficient with error bars.
#[derive(Parser, Debug)]
#[command(name = "amelo", version = VERSION, long_version = crate::version::long(), disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done, 2 command line or deck is wrong, 3 the simulation failed, 4 files, 70 a bug of ours, 75 stopped early with a checkpoint."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Print the long version (instruction set, features) with --version
    #[command(flatten)]
    pub global: Global,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Options of every command.
#[derive(Args, Debug, Clone, Copy)]
pub struct Global {
    /// Only errors on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More on stderr
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// One JSON document on stdout and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Threads; results do not depend on it [default: all cores]
    #[arg(long, global = true, env = "AMELO_THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Build or load the system, run every stage, analyse
    Run(RunArgs),
    /// Validate a deck without dynamics; print every parameter with its source
    Check(CheckArgs),
    /// Make only the initial system
    Build(BuildArgs),
    /// A system from another program's files
    #[command(subcommand)]
    Import(ImportCommand),
    /// Energy, forces and virial of one configuration
    Energy(EnergyArgs),
    /// ns/day, ms per step, and the share of each part
    Bench(BenchArgs),
    /// Files of other programs: input of GROMACS or LAMMPS, extended XYZ, PDB, XTC
    Export(ExportArgs),
    /// One analysis on stored trajectories
    Analyze(AnalyzeArgs),
    /// One self-contained page on one or several runs
    Report(ReportArgs),
    /// SHA-256 over every frame, log value and the dynamic state
    Hash(HashArgs),
    /// What exists, one line each
    List(ListArgs),
    /// Formula, units, assumptions and citation of a potential, thermostat, analysis …
    Explain(ExplainArgs),
    /// Shell completions on stdout
    Completions(CompletionsArgs),
}

#[derive(Args, Debug)]
pub struct RunArgs {
    /// The deck
    pub deck: PathBuf,
    /// Run directory [default: DECK's stem with .run]
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// Replace an existing run directory
    #[arg(long, conflicts_with = "resume")]
    pub overwrite: bool,
    /// Go on from the last checkpoint; without one, start anew
    #[arg(long)]
    pub resume: bool,
    /// At most N steps of dynamics in this call
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// At most H hours of wall time in this call
    #[arg(long, value_name = "H")]
    pub max_hours: Option<f64>,
    /// Change a key of the deck: stage.production.duration="20 ps"
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The deck
    #[arg(required_unless_present = "explain_keys")]
    pub deck: Option<PathBuf>,
    /// Explain every key of a deck instead
    #[arg(long)]
    pub explain_keys: bool,
    /// Change a key of the deck
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args, Debug)]
pub struct BuildArgs {
    /// The deck
    pub deck: PathBuf,
    /// Where the system goes
    #[arg(short = 'o', long = "output", value_name = "SYSTEM.h5")]
    pub output: PathBuf,
    /// Also a page with pictures of the structure, density profiles and the certificate
    #[arg(long, value_name = "REPORT.html")]
    pub report: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub overwrite: bool,
    /// Change a key of the deck
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Subcommand, Debug)]
pub enum ImportCommand {
    /// A GROMACS topology with its coordinates
    Gromacs(ImportGromacsArgs),
    /// A LAMMPS input script with its data file
    Lammps(ImportLammpsArgs),
}

#[derive(Args, Debug)]
pub struct ImportGromacsArgs {
    /// Topology
    #[arg(value_name = "TOPOL.top")]
    pub topology: PathBuf,
    /// Coordinates, and velocities where the file has them
    #[arg(value_name = "CONF.gro")]
    pub coordinates: PathBuf,
    /// Define a macro of the topology
    #[arg(short = 'D', value_name = "NAME[=VALUE]")]
    pub define: Vec<String>,
    /// Folder of included files, for example GROMACS' share/gromacs/top
    #[arg(short = 'I', value_name = "DIR")]
    pub include: Vec<PathBuf>,
    #[command(flatten)]
    pub to: ImportTarget,
}

#[derive(Args, Debug)]
pub struct ImportLammpsArgs {
    /// Input script; the files that it names are relative to it
    #[arg(value_name = "SCRIPT")]
    pub script: PathBuf,
    #[command(flatten)]
    pub to: ImportTarget,
}

/// What every import has.
#[derive(Args, Debug)]
pub struct ImportTarget {
    /// Where the system goes
    #[arg(short = 'o', long = "output", value_name = "SYSTEM.h5")]
    pub output: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub overwrite: bool,
    /// Set a key of the section nonbonded: nonbonded.r_cut="1.0 nm". All of a script's own settings yield to it, but for
    /// nonbonded.precision alone
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args, Debug)]
pub struct EnergyArgs {
    /// A deck, a run directory, or a system or checkpoint file
    pub system: PathBuf,
    /// Forces on every atom too
    #[arg(long)]
    pub forces: bool,
    /// Change a key of the deck; of a stored state those of nonbonded and dynamics. Double precision holds unless
    /// nonbonded.precision is stated, there or here
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args, Debug)]
pub struct BenchArgs {
    /// A deck, a run directory, or a system or checkpoint file
    pub system: PathBuf,
    /// Steps to measure; the first ones, set-up and minimisation do not count
    #[arg(long, value_name = "N", default_value_t = amelo_runner::bench::STEPS)]
    pub steps: u64,
    /// Change a key of the deck; of a stored state those of nonbonded and dynamics
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// What to write
    pub format: ExportFormat,
    /// A run directory, a trajectory, a system or checkpoint file, or a deck
    pub system: PathBuf,
    /// Where it goes: a directory for gromacs and lammps, else a file
    #[arg(short = 'o', long = "output", value_name = "PATH")]
    pub output: PathBuf,
    /// Frames of the trajectory as a Python slice, or one by its number: 0, -1, ::10, 100:200
    /// [default: the last state for gromacs, lammps and pdb, all frames for extxyz and xtc]
    #[arg(long, value_name = "A:B:S", allow_hyphen_values = true)]
    pub frames: Option<String>,
    /// Replace existing files
    #[arg(long)]
    pub overwrite: bool,
    /// gromacs: leave Buckingham pairs out, which GROMACS does not have
    #[arg(long)]
    pub without_buckingham: bool,
    /// lammps: leave the dispersion correction out, which LAMMPS cannot combine with a shift
    #[arg(long)]
    pub without_dispersion_correction: bool,
    /// Change a key of the deck; of a stored state those of nonbonded and dynamics
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    Gromacs,
    Lammps,
    Extxyz,
    Pdb,
    Xtc,
}

#[derive(Args, Debug)]
pub struct AnalyzeArgs {
    /// Name of the analysis: amelo list analyses
    pub name: String,
    /// Run directories
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Option of the analysis: group="PEO ether O"
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Draw the curves
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Run directories
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Where the page goes
    #[arg(short = 'o', long = "output", value_name = "REPORT.html")]
    pub output: PathBuf,
}

#[derive(Args, Debug)]
pub struct HashArgs {
    /// Run directory
    pub run: PathBuf,
}

#[derive(Args, Debug)]
pub struct ListArgs {
    /// What to list
    pub what: Topic,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Potentials,
    Bonded,
    Thermostats,
    Barostats,
    Constraints,
    Analyses,
    Formats,
    Oxides,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// Name as `amelo list` prints it
    pub name: String,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Shell
    pub shell: clap_complete::Shell,
}
