use super::*;

const HOLD: Duration = Duration::from_millis(300);

fn at(second: i64) -> Option<Timestamp> {
    Some(Timestamp::from_second(second).unwrap())
}

fn after(now: Instant, millis: u64) -> Instant {
    now + Duration::from_millis(millis)
}

fn drain(order: &mut Order<i64>, now: Instant) -> Vec<i64> {
    std::iter::from_fn(|| order.pop(now)).map(|(_, thing)| thing).collect()
}

/// A row of numbers that look thrown, the same in each run (xorshift, Marsaglia 2003).
fn thrown(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    }
}

#[test]
fn without_follow_the_order_is_exact() {
    let now = Instant::now();
    for seed in 1..200 {
        let mut thrown = thrown(seed);
        let mut order = Order::new(None);
        let count = 1 + thrown(5) as usize;
        let mut rows: Vec<VecDeque<i64>> = (0..count)
            .map(|_| {
                let mut row: Vec<i64> = (0..thrown(30)).map(|_| thrown(100) as i64).collect();
                row.sort_unstable();
                row.into()
            })
            .collect();
        let mut expected: Vec<i64> = rows.iter().flatten().copied().collect();
        expected.sort_unstable();
        let places: Vec<Place> = rows.iter().map(|_| order.begin()).collect();
        let mut out = Vec::new();
        while rows.iter().any(|row| !row.is_empty()) {
            let which = thrown(count as u64) as usize;
            match rows[which].pop_front() {
                Some(second) => order.push(places[which], at(second), 1, second, now),
                None => order.end(places[which]),
            }
            out.extend(drain(&mut order, now));
        }
        places.iter().for_each(|place| order.end(*place));
        out.extend(drain(&mut order, now));
        assert_eq!(out, expected, "seed {seed}");
        assert_eq!((order.weight, order.sources, order.silent), (0, 0, 0));
    }
}

#[test]
fn following_a_silent_source_holds_nothing_up() {
    let now = Instant::now();
    let mut order = Order::new(Some(HOLD));
    let (a, b) = (order.begin(), order.begin());
    order.push(a, at(2), 1, 2, now);
    assert_eq!(drain(&mut order, after(now, 299)), [0; 0]);
    assert_eq!(order.due(), Some(now + HOLD));
    order.push(b, at(1), 1, 1, after(now, 299));
    assert_eq!(drain(&mut order, after(now, 299)), [1], "both had something, so the earlier was certain");
    assert_eq!(drain(&mut order, after(now, 300)), [2]);
    assert_eq!(order.due(), None);
}

#[test]
fn what_is_due_goes_behind_what_is_earlier() {
    let now = Instant::now();
    let mut order = Order::new(Some(HOLD));
    let (a, b, _silent) = (order.begin(), order.begin(), order.begin());
    order.push(a, at(5), 1, 5, now);
    order.push(b, at(4), 1, 4, after(now, 200));
    order.push(b, at(6), 1, 6, after(now, 200));
    assert_eq!(drain(&mut order, after(now, 300)), [4, 5]);
    assert_eq!(drain(&mut order, after(now, 499)), [0; 0]);
    assert_eq!(drain(&mut order, after(now, 500)), [6]);
}

#[test]
fn lines_of_one_source_are_never_turned_around() {
    let now = Instant::now();
    for hold in [None, Some(HOLD)] {
        for seed in 1..100 {
            let mut thrown = thrown(seed);
            let mut order = Order::new(hold);
            let places = [order.begin(), order.begin(), order.begin()];
            let mut out: [Vec<i64>; 3] = Default::default();
            let mut clock = now;
            for number in 0..300 {
                let which = thrown(3) as usize;
                let time = (thrown(4) > 0).then(|| Timestamp::from_second(thrown(50) as i64).unwrap());
                order.push(places[which], time, 1, number, clock);
                clock += Duration::from_millis(thrown(40));
                while let Some((place, thing)) = order.pop(clock) {
                    out[place].push(thing);
                }
            }
            while let Some((place, thing)) = order.pop_first() {
                out[place].push(thing);
            }
            assert_eq!(out.iter().map(Vec::len).sum::<usize>(), 300, "nothing is lost");
            assert!(out.iter().all(|row| row.is_sorted()), "seed {seed}: {out:?}");
        }
    }
}

#[test]
fn a_flood_takes_no_more_than_the_limit() {
    let now = Instant::now();
    for hold in [None, Some(HOLD)] {
        let mut order = Order::new(hold);
        let (flood, _silent) = (order.begin(), order.begin());
        let mut out = 0;
        for number in 0..100_000 {
            order.push(flood, at(number), 1000, number, now);
            out += drain(&mut order, now).len();
            assert!(order.weight <= LIMIT);
        }
        assert!(out > 80_000, "{out}");
        assert!(!order.wants(flood), "whoever asks does not get that far");
        assert!(order.wants(_silent));
    }
}

#[test]
fn arrivals_do_not_pile_up_when_everything_is_certain() {
    let now = Instant::now();
    let mut order = Order::new(Some(HOLD));
    let only = order.begin();
    for number in 0..10_000 {
        order.push(only, at(number), 1, number, now);
        drain(&mut order, now);
        order.due();
        assert!(order.arrivals.len() < 3);
    }
}

#[test]
fn a_place_is_given_anew_when_its_last_thing_has_gone() {
    let now = Instant::now();
    let mut order = Order::new(None);
    let first = order.begin();
    order.push(first, at(1), 1, 1, now);
    order.end(first);
    let second = order.begin();
    assert_ne!(first, second);
    order.end(second);
    assert_eq!(drain(&mut order, now), [1]);
    assert_eq!(order.begin(), first);
}
