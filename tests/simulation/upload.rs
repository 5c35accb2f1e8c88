//! One upload that a session holds: carries out the jobs of its stream in the order of
//! `server::upload`, one step of the disk or the registry at a time. Between any two of
//! them, and in the middle of one, the server may end.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use longhaul::protocol::StreamId;
use longhaul::protocol::id::{FileId, Token};
use longhaul::protocol::manifest::Manifest;
use longhaul::protocol::receiver::Opening;
use longhaul::protocol::trouble::Trouble;
use longhaul::registry::{Claim, Epoch};
use longhaul::verify::{BLOCK, BlockHash, BlockHasher, Root};

use super::disk::Writer;
use super::server::Control;
use super::world::{Event, World};

/// How many bytes are hashed and written at once.
const BATCH: u64 = BLOCK;
/// How long a holder may take for its last writes.
const EVICTION: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub enum Job {
    Settle(bool),
    Write(u64, Bytes),
    Commit(Vec<(u64, BlockHash)>),
    Seal(Root),
    Release,
    Abort,
}

#[derive(Debug)]
pub enum Outcome {
    Opened(Opening),
    Written(u64, Vec<(u64, BlockHash)>),
    Committed,
    Sealed(FileId, String, Root),
    Released,
    Aborted,
    Failed(Trouble),
}

/// A step that takes time.
#[derive(Clone, Debug)]
pub enum Stage {
    Match,
    Adopt(FileId, Epoch),
    Begin,
    Find,
    Evict(FileId, Trouble),
    Hold(FileId),
    Open,
    Settle,
    Idle,
    Write(u64, Vec<Bytes>),
    Sync(Vec<(u64, BlockHash)>),
    Record(Vec<(u64, BlockHash)>),
    Sealing(Root, String),
    Place(Root, String),
    Finish(Root, String),
    End,
    Abort,
    Discard(FileId),
}

/// What follows a step.
pub enum Next {
    Do(Stage),
    Report(Outcome, Stage),
    Over(Outcome),
}

#[derive(Debug)]
pub struct Task {
    pub session: u64,
    pub stream: StreamId,
    pub manifest: Manifest,
    pub jobs: VecDeque<Job>,
    pub stage: Stage,
    /// Counts its steps: an answer to an earlier one means nothing.
    pub stamp: u64,
    pub token: Token,
    /// Whether its client was told before that it is there.
    pub begun: bool,
    /// Whether its client can prove what it has.
    pub matching: bool,
    pub claim: Option<Claim>,
    pub writer: Option<Writer>,
    pub hasher: Option<BlockHasher>,
    /// What was offered to its client, until it proves to have the same bytes or not.
    pub offer: Option<(FileId, Epoch)>,
    /// Whether all that is durable came from another device.
    pub foreign: bool,
    /// Whether its session is gone.
    pub orphan: bool,
}

impl Task {
    pub fn new(session: u64, stream: StreamId, manifest: Manifest, token: Token) -> Self {
        Self {
            session,
            stream,
            manifest,
            jobs: VecDeque::new(),
            stage: Stage::Idle,
            stamp: 0,
            token,
            begun: false,
            matching: false,
            claim: None,
            writer: None,
            hasher: None,
            offer: None,
            foreign: false,
            orphan: false,
        }
    }

    /// Ends an upload on behalf of nobody who is connected.
    pub fn canceller(id: FileId) -> Self {
        let manifest = Manifest {
            path: id.to_string(),
            size: 0,
            modified: None,
            media_type: String::new(),
        };
        let mut task = Self::new(0, StreamId(0), manifest, Token::from_bytes([0; 16]));
        task.orphan = true;
        task
    }

    /// How many frames it has not yet written.
    pub fn frames(&self) -> usize {
        let in_hand = match &self.stage {
            Stage::Write(_, pieces) => pieces.len(),
            _ => 0,
        };
        let waiting = self.jobs.iter().filter(|job| matches!(job, Job::Write(..)));
        in_hand + waiting.count()
    }

    /// Bytes of the step that is being carried out.
    pub fn in_hand(&self) -> u64 {
        match &self.stage {
            Stage::Write(_, pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            _ => 0,
        }
    }

    /// Whether it does something now.
    pub fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    pub fn size(&self) -> u64 {
        self.manifest.size
    }
}

impl World {
    /// Hands a task something to do.
    pub fn give(&mut self, number: u64, job: Job) {
        if !self.server.tasks.contains_key(&number) {
            // It has ended and said why; that comes next.
            return;
        }
        if let Job::Write(_, payload) = &job {
            self.server.waiting += payload.len() as u64;
            self.check_memory();
        }
        let Some(task) = self.server.tasks.get_mut(&number) else {
            return;
        };
        task.jobs.push_back(job);
        self.work(number);
    }

    /// The session of a task is gone: what it was given is still done.
    pub fn orphan(&mut self, number: u64) {
        if let Some(task) = self.server.tasks.get_mut(&number) {
            task.orphan = true;
            self.work(number);
        }
    }

    /// Takes up the next job, if the task is idle.
    fn work(&mut self, number: u64) {
        let Some(task) = self.server.tasks.get_mut(&number) else {
            return;
        };
        if !matches!(task.stage, Stage::Idle) {
            return;
        }
        if let Some((id, epoch)) = task.offer {
            let stage = match task.jobs.pop_front() {
                Some(Job::Settle(true)) => Stage::Adopt(id, epoch),
                Some(Job::Settle(false)) => Stage::Begin,
                Some(Job::Abort) => return self.over(number, Outcome::Aborted),
                None if !task.orphan => return,
                _ => return self.over(number, Outcome::Released),
            };
            task.offer = None;
            return self.proceed(number, stage);
        }
        let stage = match task.jobs.pop_front() {
            Some(Job::Write(offset, payload)) => {
                let mut end = offset + payload.len() as u64;
                let mut pieces = vec![payload];
                while let Some(Job::Write(at, payload)) = task.jobs.front()
                    && *at == end
                    && end - offset + payload.len() as u64 <= BATCH
                {
                    end += payload.len() as u64;
                    pieces.push(payload.clone());
                    task.jobs.pop_front();
                }
                Stage::Write(offset, pieces)
            }
            Some(Job::Commit(blocks)) => Stage::Sync(blocks),
            Some(Job::Seal(root)) => {
                let path = task.claim.as_ref().map(|claim| claim.upload.path.clone());
                Stage::Sealing(root, path.unwrap_or_default())
            }
            Some(Job::Abort) if task.foreign => return self.over(number, Outcome::Aborted),
            Some(Job::Abort) => Stage::End,
            Some(Job::Settle(_)) => return self.work(number),
            Some(Job::Release) => return self.over(number, Outcome::Released),
            None if task.orphan => return self.over(number, Outcome::Released),
            None => return,
        };
        self.proceed(number, stage);
    }

    /// Begins a step.
    pub fn proceed(&mut self, number: u64, stage: Stage) {
        let mut latency = self.latency(&stage);
        if let Stage::Evict(id, trouble) = &stage {
            let holder = self.server.holders.get(id).copied();
            let holder = holder.filter(|h| self.server.alive.contains_key(&h.session));
            if let Some(holder) = holder {
                let expel = Control::Expel(holder.stream, trouble.clone());
                self.control(holder.session, expel);
                latency = EVICTION;
            }
        }
        let Some(task) = self.server.tasks.get_mut(&number) else {
            return;
        };
        task.stamp += 1;
        task.stage = stage;
        let done = Event::Done(number, task.stamp);
        self.at(self.now + latency, done);
        self.server.steps += 1;
        self.step_begun();
    }

    fn latency(&mut self, stage: &Stage) -> Duration {
        let base = match stage {
            Stage::Idle | Stage::Evict(..) => Duration::from_micros(1),
            Stage::Match | Stage::Find | Stage::Open | Stage::Settle => self.plan.disk / 8,
            Stage::Write(..) => self.plan.disk / 4,
            _ => self.plan.disk,
        };
        let usual = self.chance.span(base, base * 4);
        let bytes = matches!(stage, Stage::Write(..) | Stage::Sync(_) | Stage::Place(..));
        if self.server.books_are_fast && !bytes {
            return usual;
        }
        let wait = self.server.hangs_until.saturating_sub(self.now);
        let slow = usual * self.server.slowness;
        wait + slow.min(Duration::from_secs(20))
    }

    /// A step came to its end.
    pub fn done(&mut self, number: u64, stamp: u64) {
        let Some(task) = self.server.tasks.get_mut(&number) else {
            return;
        };
        if task.stamp != stamp {
            return;
        }
        let stage = std::mem::replace(&mut task.stage, Stage::Idle);
        let Some(mut task) = self.server.tasks.remove(&number) else {
            return;
        };
        let next = self.perform(number, &mut task, stage);
        self.server.tasks.insert(number, task);
        match next {
            Ok(Next::Do(stage)) => self.proceed(number, stage),
            Ok(Next::Report(outcome, Stage::Idle)) => {
                self.report(number, outcome);
                self.work(number);
            }
            Ok(Next::Report(outcome, stage)) => {
                self.report(number, outcome);
                self.proceed(number, stage);
            }
            Ok(Next::Over(outcome)) => self.over(number, outcome),
            Err(trouble) => self.over(number, Outcome::Failed(trouble)),
        }
    }

    /// A task ends: it lets go before its client hears of it.
    fn over(&mut self, number: u64, outcome: Outcome) {
        self.report(number, outcome);
        let Some(task) = self.server.tasks.remove(&number) else {
            return;
        };
        self.drop_jobs(&task);
        let held = task.claim.as_ref().map(|claim| claim.upload.id);
        self.server.let_go(number);
        self.server.give_back(task.session);
        // Whoever waits for that goes on.
        let waiting =
            self.server.tasks.iter().filter(
                |(_, other)| matches!(&other.stage, Stage::Evict(id, _) if Some(*id) == held),
            );
        let waiting: Vec<_> = waiting.map(|(n, other)| (*n, other.stamp)).collect();
        for (other, stamp) in waiting {
            let delay = self.moment();
            self.at(self.now + delay, Event::Done(other, stamp));
        }
    }

    fn report(&mut self, number: u64, outcome: Outcome) {
        let Some(task) = self.server.tasks.get(&number) else {
            return;
        };
        let (session, stream) = (task.session, task.stream);
        let delay = self.moment();
        let Some(last) = self.server.alive.get_mut(&session) else {
            return;
        };
        let at = (self.now + delay).max(*last + Duration::from_nanos(1));
        *last = at;
        self.at(at, Event::Outcome(session, stream, outcome));
    }
}
