//! `hotline user`: adds people, changes passwords, closes accounts.

use super::desk::{now_ms, with_db};
use super::{Failure, Where};
use crate::auth::{Role, password};
use crate::store::{StoreError, USER_NAME_RULE, User, is_user_name};
use std::io::{BufRead as _, IsTerminal as _};

/// Where the password is taken from before anybody is asked.
const VARIABLE: &str = "HOTLINE_PASSWORD";
const SHORTEST: usize = 8;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Add a user. The password is read from HOTLINE_PASSWORD, or as one line from standard input.
    Add(Add),
    /// Give a user a new password; all of his sessions end.
    Passwd(Name),
    /// Close a user's account; all of his sessions end.
    Disable(Name),
}

#[derive(clap::Args, Debug)]
pub struct Add {
    name: String,
    /// What he may do; give it again for more than one.
    #[arg(long, required = true, value_name = "ROLE")]
    role: Vec<String>,
    /// The name others see; without it the user's name.
    #[arg(long)]
    display: Option<String>,
    /// The unit whose tickets he sees.
    #[arg(long)]
    unit: Option<String>,
    #[command(flatten)]
    place: Where,
}

#[derive(clap::Args, Debug)]
pub struct Name {
    name: String,
    #[command(flatten)]
    place: Where,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Add(args) => add(args),
        Command::Passwd(args) => {
            let kept = kept_password()?;
            with_db(&args.place, |db, _| async move { known(&args.name, db.set_password(&args.name, &kept).await) })
        }
        Command::Disable(args) => with_db(&args.place, |db, _| async move { known(&args.name, db.set_disabled(&args.name, true).await) }),
    }
}

fn add(args: &Add) -> Result<(), Failure> {
    if !is_user_name(&args.name) {
        return Err(Failure::new(format!("\"{}\" is no user name: {USER_NAME_RULE}", args.name)));
    }
    for role in &args.role {
        if role.parse::<Role>().is_err() {
            let all: Vec<&str> = Role::ALL.iter().map(|role| role.label()).collect();
            return Err(Failure::new(format!("there is no role \"{role}\"; the roles are {}", all.join(", "))));
        }
    }
    let kept = kept_password()?;
    let user = User {
        name: args.name.clone(),
        display: args.display.clone().unwrap_or_else(|| args.name.clone()),
        unit: args.unit.clone(),
        roles: args.role.clone(),
        disabled: false,
        created_at: now_ms(),
    };
    with_db(&args.place, |db, _| async move {
        match db.add_user(&user, &kept).await {
            Ok(()) => Ok(()),
            Err(StoreError::Exists) => Err(Failure::new(format!("there is a user \"{}\" already", user.name))),
            Err(error) => Err(Failure::new(error)),
        }
    })
}

fn known(name: &str, outcome: Result<bool, StoreError>) -> Result<(), Failure> {
    match outcome.map_err(Failure::new)? {
        true => Ok(()),
        false => Err(Failure::new(format!("there is no user \"{name}\""))),
    }
}

/// The hash of the password that was given; it is never an argument, which every user of the machine could read.
fn kept_password() -> Result<String, Failure> {
    let given = match std::env::var(VARIABLE) {
        Ok(text) => text,
        Err(_) => {
            if std::io::stdin().is_terminal() {
                eprint!("password: ");
            }
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).map_err(Failure::new)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if given.chars().count() < SHORTEST {
        return Err(Failure::new(format!("a password has {SHORTEST} characters or more (set {VARIABLE}, or type it)")));
    }
    password::hash(&given).map_err(Failure::new)
}
