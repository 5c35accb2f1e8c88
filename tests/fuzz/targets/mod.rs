//! The targets, and what they have in common. Each takes any bytes.

pub mod client;
mod memory;
pub mod server;
pub mod wire;

use arbitrary::Arbitrary;
use longhaul::protocol::id::{FileId, Token};
use longhaul::protocol::manifest::Manifest;
use longhaul::protocol::trouble::Trouble;
use longhaul::verify::BLOCK;

/// Lengths of files, those that matter among them.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Size {
    Tiny(u8),
    Small(u16),
    /// Near the end of a block.
    Around(u8, i8),
}

impl Size {
    fn bytes(self) -> u64 {
        match self {
            Self::Tiny(size) => size.into(),
            Self::Small(size) => size.into(),
            Self::Around(blocks, by) => {
                let by = i64::from(by % 3);
                (u64::from(blocks % 3) * BLOCK).saturating_add_signed(by)
            }
        }
    }

    fn manifest(self) -> Manifest {
        Manifest {
            path: "a".into(),
            size: self.bytes(),
            modified: None,
            media_type: String::new(),
        }
    }
}

/// Bytes to be sent, all of them zero.
static ZEROS: [u8; 3 * BLOCK as usize] = [0; 3 * BLOCK as usize];

fn id(n: u8) -> FileId {
    FileId::from_bytes([n; 16])
}

fn token(n: u8) -> Token {
    Token::from_bytes([n; 16])
}

/// A trouble of each class.
fn trouble(n: u8) -> Trouble {
    let troubles = [
        Trouble::Internal,
        Trouble::DiskFull,
        Trouble::Ended,
        Trouble::Different,
        Trouble::BadName,
    ];
    troubles[usize::from(n) % troubles.len()].clone()
}
