//! A rest before the program waits for the network again, for who reads many streams that say a little all the time: to be
//! woken for each line costs more than to show it. What comes meanwhile waits in the kernel, and is read in one go.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// Nobody sees so short a while.
const REST: Duration = Duration::from_millis(20);

static IS_DUE: AtomicBool = AtomicBool::new(false);

/// Asks for one rest, as soon as there is nothing left to do.
pub fn ask() {
    IS_DUE.store(true, Ordering::Relaxed);
}

/// Rests, where it was asked for. The runtime calls this when there is nothing left to do.
pub fn take() {
    if IS_DUE.swap(false, Ordering::Relaxed) {
        thread::sleep(REST);
    }
}
