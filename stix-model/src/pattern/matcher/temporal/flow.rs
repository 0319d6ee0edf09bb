//! Which leaves get which occurrences, once it is fixed between which moments each of them lies: a matching.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::tree::{Choice, Leaf, Moment, Problem};
use super::{Budget, Exhausted};

/// Something that needs occurrences.
#[derive(Clone)]
pub(super) struct Demand {
    pub(super) leaf: Rc<Leaf>,
    pub(super) need: u64,
    /// The time that an occurrence has to overlap, both moments included.
    pub(super) between: (Moment, Moment),
}

/// The occurrences for each demand, none of them twice; `None` if there are not enough.
pub(super) fn matching(
    problem: &Problem,
    demands: &[Demand],
    budget: &mut Budget,
) -> Result<Option<Vec<Taken>>, Exhausted> {
    // Who wants the same wants it together.
    let mut known: HashMap<(usize, (Moment, Moment)), usize> = HashMap::new();
    let mut joint: Vec<Demand> = Vec::new();
    let mut place_of = Vec::with_capacity(demands.len());
    for demand in demands {
        let place = *known.entry((demand.leaf.set, demand.between)).or_insert(joint.len());
        place_of.push(place);
        match joint.get_mut(place) {
            Some(known) => known.need = known.need.saturating_add(demand.need),
            None => joint.push(demand.clone()),
        }
    }
    let Some(mut taken) = joint_matching(problem, &joint, budget)? else { return Ok(None) };
    let share = |(demand, place): (&Demand, usize)| {
        let (mut need, mut share) = (demand.need, Taken::new());
        let taken = &mut taken[place];
        while need > 0
            && let Some((observation, left)) = taken.last_mut()
        {
            let times = need.min(*left);
            share.push((*observation, times));
            need -= times;
            *left -= times;
            if *left == 0 {
                taken.pop();
            }
        }
        share
    };
    Ok(Some(demands.iter().zip(place_of).map(share).collect()))
}

/// Observations with the number of their occurrences.
pub(super) type Taken = Vec<(u32, u64)>;

fn joint_matching(problem: &Problem, demands: &[Demand], budget: &mut Budget) -> Result<Option<Vec<Taken>>, Exhausted> {
    let total = demands.iter().fold(0_u64, |sum, demand| sum.saturating_add(demand.need));
    let mut matching = Matching {
        problem,
        candidates: Vec::with_capacity(demands.len()),
        taken: vec![HashMap::new(); demands.len()],
        holders: HashMap::new(),
        free: HashMap::new(),
    };
    // Who has candidates for everybody is served last, and served in any case.
    let (mut scarce, mut plenty) = (Vec::new(), Vec::new());
    for (place, demand) in demands.iter().enumerate() {
        let mut candidates = Vec::new();
        let mut count = 0_u64;
        for member in problem.set(&demand.leaf).between(problem, demand.between) {
            candidates.push(member);
            count = count.saturating_add(problem.count[member as usize]);
            if count >= total {
                break;
            }
        }
        budget.spend(candidates.len())?;
        if count < demand.need {
            return Ok(None);
        }
        if count >= total {
            plenty.push(place);
        } else {
            scarce.push((count, place));
        }
        matching.candidates.push(candidates);
    }
    scarce.sort_unstable();
    for place in scarce.into_iter().map(|(_, place)| place).chain(plenty) {
        if !matching.serve(place, demands[place].need, budget)? {
            return Ok(None);
        }
    }
    let sorted = |taken: HashMap<u32, u64>| {
        let mut taken: Taken = taken.into_iter().filter(|(_, times)| *times > 0).collect();
        // The earliest are given away first, from the end.
        taken
            .sort_unstable_by_key(|(observation, _)| std::cmp::Reverse((problem.times_of(*observation), *observation)));
        taken
    };
    Ok(Some(matching.taken.into_iter().map(sorted).collect()))
}

/// The choices that a matching makes.
pub(super) fn choices(demands: &[Demand], matching: Vec<Taken>) -> Vec<Choice> {
    let pairs = demands.iter().zip(matching);
    pairs
        .flat_map(|(demand, taken)| {
            let leaf = &demand.leaf;
            taken.into_iter().map(|(observation, times)| Choice { leaf: Rc::clone(leaf), observation, times })
        })
        .collect()
}

struct Matching<'p> {
    problem: &'p Problem,
    candidates: Vec<Vec<u32>>,
    /// For each demand what it has.
    taken: Vec<HashMap<u32, u64>>,
    /// For each observation who has something of it.
    holders: HashMap<u32, HashSet<usize>>,
    /// The occurrences that are left; all of those that are not named.
    free: HashMap<u32, u64>,
}

impl Matching<'_> {
    fn free(&self, observation: u32) -> u64 {
        self.free.get(&observation).copied().unwrap_or(self.problem.count[observation as usize])
    }

    fn take(&mut self, demand: usize, observation: u32, times: u64) {
        *self.taken[demand].entry(observation).or_default() += times;
        self.holders.entry(observation).or_default().insert(demand);
    }

    fn serve(&mut self, demand: usize, mut need: u64, budget: &mut Budget) -> Result<bool, Exhausted> {
        for place in 0..self.candidates[demand].len() {
            if need == 0 {
                return Ok(true);
            }
            let observation = self.candidates[demand][place];
            let times = need.min(self.free(observation));
            if times > 0 {
                self.free.insert(observation, self.free(observation) - times);
                self.take(demand, observation, times);
                need -= times;
            }
        }
        while need > 0 {
            match self.augment(demand, need, budget)? {
                0 => return Ok(false),
                gained => need -= gained,
            }
        }
        Ok(true)
    }

    /// Gives a demand some more, for which others give theirs up and take something that is free.
    fn augment(&mut self, demand: usize, need: u64, budget: &mut Budget) -> Result<u64, Exhausted> {
        // From which demand an observation was reached.
        let mut reached: HashMap<u32, usize> = HashMap::new();
        // From which observation a demand was reached.
        let mut from: HashMap<usize, u32> = HashMap::new();
        let mut open = VecDeque::from([demand]);
        while let Some(at) = open.pop_front() {
            budget.spend(self.candidates[at].len())?;
            for observation in &self.candidates[at] {
                if reached.contains_key(observation) {
                    continue;
                }
                reached.insert(*observation, at);
                if self.free(*observation) > 0 {
                    return Ok(self.shift(demand, *observation, need, &reached, &from));
                }
                for holder in self.holders.get(observation).into_iter().flatten() {
                    let holds = self.taken[*holder].get(observation).is_some_and(|times| *times > 0);
                    if holds && *holder != demand && !from.contains_key(holder) {
                        from.insert(*holder, *observation);
                        open.push_back(*holder);
                    }
                }
            }
        }
        Ok(0)
    }

    /// Moves along a way from a demand to an observation that is free.
    fn shift(
        &mut self,
        demand: usize,
        end: u32,
        need: u64,
        reached: &HashMap<u32, usize>,
        from: &HashMap<usize, u32>,
    ) -> u64 {
        let mut times = need.min(self.free(end));
        let mut way = Vec::new();
        let mut observation = end;
        // Every demand on the way but the first gives up what it was reached by.
        while let Some(&taker) = reached.get(&observation) {
            way.push((taker, observation));
            match from.get(&taker) {
                Some(&given) if taker != demand => {
                    times = times.min(self.taken[taker].get(&given).copied().unwrap_or(0));
                    observation = given;
                }
                _ => break,
            }
        }
        self.free.insert(end, self.free(end) - times);
        for (taker, observation) in way {
            self.take(taker, observation, times);
            if taker != demand
                && let Some(given) = from.get(&taker)
                && let Some(held) = self.taken[taker].get_mut(given)
            {
                *held -= times;
            }
        }
        times
    }
}
