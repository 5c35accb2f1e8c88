//! Why a connection ends: every close code, who sends it, and whether the
//! client comes back by itself.

/// The reason a WebSocket was closed, as its code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 1000, from the client: there is nothing left to do or to watch.
    Done,
    /// 1001, from the client: the page goes away or is put to sleep.
    Away,
    /// 1009, from the server: a message was longer than [`super::MAX_MESSAGE`].
    TooLarge,
    /// 1011, from the server: it met a fault of its own.
    Internal,
    /// 1012, from the server: it stops or restarts.
    Restart,
    /// 1013, from the server: it has no room now.
    TryLater,
    /// 4000, from either: what arrived is not a valid frame or message here.
    Protocol,
    /// 4001, from the server: the page's origin may not use this server.
    Origin,
    /// 4002, from the server: the subprotocol or the version is not spoken here.
    Version,
    /// 4003, from the server: a text message, where only binary ones exist.
    Text,
    /// 4004, from the server: the same client came back with a newer generation.
    Superseded,
    /// 4005, from either: nothing was heard for too long.
    HeartbeatLost,
    /// 4006, from the client: the connection was not ready in time.
    Timeout,
    /// 4007, from either: a lane of the connection broke, and with it what was on it; or the
    /// connection of a lane is over.
    LaneLost,
    /// 1006 or 1005, never sent: the connection broke without a close frame.
    Broken,
    /// Any other code.
    Other(u16),
}

/// What a client does after a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterClose {
    /// Connect again, after the usual backoff, where there is interest.
    Reconnect,
    /// Stay away until a person asks: coming back would fail in the same way.
    Stay,
}

impl CloseCode {
    /// The number on the wire; `None` for what cannot be sent.
    pub fn code(self) -> Option<u16> {
        Some(match self {
            Self::Done => 1000,
            Self::Away => 1001,
            Self::TooLarge => 1009,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::TryLater => 1013,
            Self::Protocol => 4000,
            Self::Origin => 4001,
            Self::Version => 4002,
            Self::Text => 4003,
            Self::Superseded => 4004,
            Self::HeartbeatLost => 4005,
            Self::Timeout => 4006,
            Self::LaneLost => 4007,
            Self::Broken => return None,
            Self::Other(code) => code,
        })
    }

    /// Reads the number of a close event or close frame.
    pub fn from_code(code: u16) -> Self {
        match code {
            1000 => Self::Done,
            1001 => Self::Away,
            1005 | 1006 => Self::Broken,
            1009 => Self::TooLarge,
            1011 => Self::Internal,
            1012 => Self::Restart,
            1013 => Self::TryLater,
            4000 => Self::Protocol,
            4001 => Self::Origin,
            4002 => Self::Version,
            4003 => Self::Text,
            4004 => Self::Superseded,
            4005 => Self::HeartbeatLost,
            4006 => Self::Timeout,
            4007 => Self::LaneLost,
            other => Self::Other(other),
        }
    }

    /// What the client does when it meets this code.
    pub fn after(self) -> AfterClose {
        match self {
            Self::TooLarge
            | Self::Protocol
            | Self::Origin
            | Self::Version
            | Self::Text
            | Self::Superseded => AfterClose::Stay,
            Self::Done
            | Self::Away
            | Self::Internal
            | Self::Restart
            | Self::TryLater
            | Self::HeartbeatLost
            | Self::Timeout
            | Self::LaneLost
            | Self::Broken
            | Self::Other(_) => AfterClose::Reconnect,
        }
    }

    /// A few words for the close frame's reason (at most 123 bytes on the wire)
    /// and for logs.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Away => "page away",
            Self::TooLarge => "message too large",
            Self::Internal => "internal error",
            Self::Restart => "server restarts",
            Self::TryLater => "no room now",
            Self::Protocol => "protocol error",
            Self::Origin => "origin not allowed",
            Self::Version => "subprotocol or version not supported",
            Self::Text => "text messages are not used",
            Self::Superseded => "superseded by a newer connection",
            Self::HeartbeatLost => "heartbeat lost",
            Self::Timeout => "not ready in time",
            Self::LaneLost => "a lane was lost",
            Self::Broken => "broken",
            Self::Other(_) => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_as_itself() {
        for code in (1000..=1015).chain(3000..=4999) {
            let read = CloseCode::from_code(code);
            match read.code() {
                Some(written) => assert_eq!(written, code),
                None => assert!(matches!(code, 1005 | 1006)),
            }
        }
    }
}
