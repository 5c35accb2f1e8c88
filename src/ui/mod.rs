//! What people see: pages and their components, one file per thing on the screen.
//!
//! A view never branches on the target. What only a browser can do is behind
//! [`engine`] and [`browser`], which do nothing on a server.
//!
//! Components end with `into_any()`: the type of a view is otherwise as deep as its
//! page, deeper than the compiler goes in a release build, and every page would be
//! compiled into each place that shows it.

#![warn(missing_docs)]

// what a view knows
pub mod arrange;
pub mod browser;
pub mod chart;
pub mod engine;
pub mod file_query;
pub mod heights;
pub mod language;
pub mod list;
pub mod listing;
pub mod numbers;
#[cfg(feature = "hydrate")]
pub mod outbox;
pub mod queue;
pub mod row_buttons;
pub mod rows;
pub mod selection;
pub mod sight;
pub mod status;
pub mod table;
pub mod theme;
pub mod window;
pub mod words;

// pages
pub mod file_page;
pub mod files_page;
pub mod live_page;
pub mod not_found;
pub mod uploads_page;

// what they are made of
pub mod ask;
pub mod bar;
pub mod choices;
pub mod chosen_bar;
pub mod connection;
pub mod copy;
pub mod digest;
pub mod drop_layer;
pub mod drop_zone;
pub mod empty;
pub mod failure;
pub mod favicon;
pub mod file_kinds;
pub mod file_name;
pub mod file_row;
pub mod file_search;
pub mod flight;
pub mod folder_buttons;
pub mod folder_row;
pub mod header;
pub mod icons;
pub mod language_switch;
pub mod leave_guard;
pub mod live_pulse;
pub mod live_row;
pub mod moment;
pub mod pace;
pub mod popup;
pub mod qr;
pub mod question;
pub mod remote;
pub mod shared_files;
pub mod stage;
pub mod stored_file;
pub mod table_keys;
pub mod tell_me;
pub mod theme_switch;
pub mod thumbnail;
pub mod title;
pub mod took;
pub mod totals_bar;
pub mod undo;
pub mod upload_buttons;
pub mod upload_filter;
pub mod upload_list;
pub mod upload_menu;
pub mod upload_name;
pub mod upload_row;
pub mod viewer;
pub mod wake;
