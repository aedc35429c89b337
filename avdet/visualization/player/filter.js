// Which scores are shown: those of the selected models, classes and persons, from the minimum score on.

const FIRST_MODEL = "first", SECOND_MODEL = "second", BOTH_MODELS = "both";

class Filter {
  /** classes, persons: for each class and for each detected person whether it is shown. */
  constructor(minScore, numClasses, numPersons) {
    this.minScore = minScore;
    this.classes = new Array(numClasses).fill(true);
    this.persons = new Array(numPersons).fill(true);
    this.model = FIRST_MODEL;
    this.mistakesOnly = false;
  }

  /** The score of the selected model; of both, the higher one. Ground truth has score 1. */
  score(set, entry) {
    if (set.others === null || this.model === FIRST_MODEL) return set.scores[entry] / SCORE_STEPS;
    const other = set.others[entry] / SCORE_STEPS;
    return this.model === SECOND_MODEL ? other : Math.max(set.scores[entry] / SCORE_STEPS, other);
  }

  passes(set, track, entry) {
    if (!this.classes[set.classes[entry]] || (this.mistakesOnly && set.verdicts[entry] !== WRONG)) return false;
    return set.isTruth || (this.persons[track.number] && this.score(set, entry) >= this.minScore - 1e-6);
  }

  get isComplete() { return this.classes.every(Boolean) && this.persons.every(Boolean); }
}
