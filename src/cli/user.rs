//! `hotline user …`: who may sign in.

use super::desk::{self, Missing, ask};
use super::{Failure, Where};
use crate::auth::{Action, Role, password};
use crate::store::{Db, StoreError, USER_NAME_RULE, User, Work, is_user_name};
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Add a user. The password comes from HOTLINE_PASSWORD, or is asked for, or is the first line of standard input.
    Add(Add),
    /// Give a user a new password; it ends his sessions. Where the password comes from: see `user add`.
    Passwd(Named),
    /// Let a user sign in no more, and end his sessions.
    Disable(Named),
    /// Let a disabled user sign in again.
    Enable(Named),
    /// All users with their roles.
    List(List),
}

#[derive(clap::Args, Debug)]
pub struct Add {
    /// The name he signs in with.
    name: String,
    /// What he may do; may be given several times.
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role)]
    roles: Vec<Role>,
    /// The name the pages show. Without it: the name he signs in with.
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// The unit whose tickets he sees, for roles unit and unit_head.
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Named {
    name: String,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct List {
    /// Print JSON: {"items": [{"name", "display", "unit", "roles", "disabled", "created_at"}]}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| {
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.label()).collect();
        format!("the roles are {}", names.join(", "))
    })
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Add(args) => add(args),
        Command::Passwd(args) => passwd(args),
        Command::Disable(args) => disable(args, true),
        Command::Enable(args) => disable(args, false),
        Command::List(args) => list(args),
    }
}

fn add(args: &Add) -> Result<(), Failure> {
    if !is_user_name(&args.name) {
        return Err(Failure::new(format!("{}: {USER_NAME_RULE}", args.name)));
    }
    let hash = password::hash(&read_password(&args.name)?).map_err(Failure::new)?;
    ask(&args.place, Missing::Make, |db, _| async move {
        // Before the server's first start there are no tables.
        db.migrate().await.map_err(Failure::new)?;
        let user = User {
            name: args.name.clone(),
            display: args.display.clone().unwrap_or_else(|| args.name.clone()),
            unit: args.unit.clone(),
            roles: args.roles.iter().map(|role| role.label().to_owned()).collect(),
            disabled: false,
            created_at: desk::now(),
            work: Work::default(),
        };
        match db.add_user(&user, &hash).await {
            Err(StoreError::Exists) => {
                Err(Failure::new(format!("{}: there is a user of this name", user.name)))
            }
            done => done.map_err(Failure::new),
        }?;
        log(&db, &user.name, "added").await?;
        println!("added {}", user.name);
        Ok(())
    })
}

fn passwd(args: &Named) -> Result<(), Failure> {
    let hash = password::hash(&read_password(&args.name)?).map_err(Failure::new)?;
    ask(&args.place, Missing::Tell, |db, _| async move {
        let there = db.set_password(&args.name, &hash).await.map_err(Failure::new)?;
        done(&db, &args.name, there, "password").await
    })
}

fn disable(args: &Named, disabled: bool) -> Result<(), Failure> {
    ask(&args.place, Missing::Tell, |db, _| async move {
        let there = db.set_disabled(&args.name, disabled).await.map_err(Failure::new)?;
        done(&db, &args.name, there, if disabled { "disabled" } else { "enabled" }).await
    })
}

async fn done(db: &Db, name: &str, there: bool, what: &str) -> Result<(), Failure> {
    if !there {
        return Err(Failure::new(format!("{name}: no user of this name")));
    }
    log(db, name, what).await?;
    println!("{what}: {name}");
    Ok(())
}

async fn log(db: &Db, name: &str, what: &str) -> Result<(), Failure> {
    let access = desk::access(Action::ManageUsers.label(), ["user:", name].concat(), what);
    db.log_access(&access).await.map_err(Failure::new)
}

fn list(args: &List) -> Result<(), Failure> {
    ask(&args.place, Missing::Tell, |db, config| async move {
        let users = db.users().await.map_err(Failure::new)?;
        if args.json {
            let item = |user: &User| {
                json!({ "name": user.name, "display": user.display, "unit": user.unit, "roles": user.roles,
                    "disabled": user.disabled, "created_at": desk::stamp(&config, user.created_at) })
            };
            println!("{}", json!({ "items": users.iter().map(item).collect::<Vec<_>>() }));
            return Ok(());
        }
        for user in &users {
            let state = if user.disabled { "disabled" } else { "" };
            let unit = user.unit.as_deref().unwrap_or("-");
            println!(
                "{:<14} {:<28} {:<10} {:<9} {}",
                user.name,
                user.roles.join(","),
                unit,
                state,
                user.display
            );
        }
        Ok(())
    })
}

/// From the environment, from the keyboard without showing it, or from a pipe. Never from the command line, which
/// everybody on the machine can read.
fn read_password(name: &str) -> Result<String, Failure> {
    if let Ok(password) = std::env::var("HOTLINE_PASSWORD") {
        return Ok(password);
    }
    let input = std::io::stdin();
    let mut line = String::new();
    if input.is_terminal() {
        eprint!("password for {name}: ");
        let _ = std::io::stderr().flush();
        let echo = Echo::off();
        let read = input.lock().read_line(&mut line);
        drop(echo);
        eprintln!();
        read
    } else {
        input.lock().read_line(&mut line)
    }
    .map_err(Failure::new)?;
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Failure::new("no password: set HOTLINE_PASSWORD or give it on standard input"));
    }
    Ok(password.to_owned())
}

/// The terminal shows nothing of what is typed until this is dropped.
struct Echo(Option<libc::termios>);

impl Echo {
    fn off() -> Self {
        // SAFETY: termios is plain numbers, filled by the call; the descriptor is ours while the process lives.
        unsafe {
            let mut kept: libc::termios = std::mem::zeroed();
            if libc::tcgetattr(libc::STDIN_FILENO, &raw mut kept) != 0 {
                return Self(None);
            }
            let mut silent = kept;
            silent.c_lflag &= !libc::ECHO;
            libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, &raw const silent);
            Self(Some(kept))
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(kept) = &self.0 {
            // SAFETY: as above; `kept` came from tcgetattr.
            unsafe {
                libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, kept);
            }
        }
    }
}
