//! The app's databases: how kdj may use them.

mod mode;

pub use self::mode::Mode;
