//! What only the real thing can show: the server in this process or as a program of its
//! own, over real sockets and a real disk. One program, since it has all of Longhaul in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod churn;
mod closing;
mod crash;
mod device;
mod drain;
mod fan_out;
mod gone;
mod half_open;
mod lanes;
mod library;
mod metrics;
mod remote;
mod send;
mod slow_disk;
mod socket;
mod supersede;
mod support;
