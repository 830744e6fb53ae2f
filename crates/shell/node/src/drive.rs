//! The task that judges what came. It is not the wire's: while it verifies, sockets are read and written on.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval};

use crate::heard::{Heard, Order};
use crate::wire::Wire;

/// What judges: a state machine that is told what came and says what to do.
pub trait Judge: Send + 'static {
    /// Something came. What is to be done is pushed to `orders`.
    fn hear(&mut self, heard: Heard, orders: &mut Vec<Order>);
    /// Time passed, about [`TICK`].
    fn tick(&mut self, orders: &mut Vec<Order>);
}

/// What somebody else of this process has for a judge.
pub type Work<J> = Box<dyn FnOnce(&mut J, &mut Vec<Order>) + Send>;

/// How often a judge is told that time passes.
pub const TICK: Duration = Duration::from_millis(250);

/// Judges until the wire is gone. `own` carries orders of others of this process, such as what is published.
pub async fn drive<J: Judge>(
    wire: Wire,
    mut heard: Receiver<Heard>,
    mut judge: J,
    mut own: Receiver<Work<J>>,
) -> J {
    let mut orders = Vec::new();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_open = true;
    loop {
        let began = tokio::select! {
            one = heard.recv() => {
                let Some(one) = one else { return judge };
                let began = Instant::now();
                judge.hear(one, &mut orders);
                // What has come meanwhile, for a while: a wake-up costs about a message.
                while began.elapsed() < TURN {
                    let Ok(one) = heard.try_recv() else { break };
                    judge.hear(one, &mut orders);
                }
                began
            }
            work = own.recv(), if is_open => {
                match work {
                    Some(work) => work(&mut judge, &mut orders),
                    None => is_open = false,
                }
                Instant::now()
            }
            _ = tick.tick() => {
                judge.tick(&mut orders);
                Instant::now()
            }
        };
        for order in orders.drain(..) {
            if wire.order(order).await.is_err() {
                return judge;
            }
        }
        if began.elapsed() >= TURN {
            tokio::task::yield_now().await;
        }
    }
}

/// How long messages are judged before what came of it is handed over.
const TURN: Duration = Duration::from_millis(2);
