// What views show for a patch is asked of the server and drawn before a run of the page, which takes longer, says the same.
const PATIENCE = 300, TRUST = 5000; // milliseconds: how long the run waits for the answer, and how long the answer for the run

async function earlyAnswer(address, id) {
  if (!address) return null;
  const response = await fetch(address.replace("{id}", id));
  return response.status === 200 ? response.json() : null; // 204: only the run can tell
}

// Keeps what was drawn early in place of what a view showed before, until the page shows something else.
class Early {
  take(told, before) {
    this.told = told;
    this.before = before;
    this.until = performance.now() + TRUST;
  }

  // What to show of what the page says; ``state`` tells whether that is still from before the question.
  over(data, state) {
    if (this.told && (state !== this.before || performance.now() > this.until)) this.told = undefined;
    return this.told ? { ...data, ...this.told } : data;
  }
}
