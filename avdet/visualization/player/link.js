// The link to a moment: #t=12.5&person=3&action=sit, with times as the tables have them.

/** {time, person, action} of the page's address; undefined for what it lacks. */
function readLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const number = (name) => (link.get(name) && Number.isFinite(Number(link.get(name))) ? Number(link.get(name)) : undefined);
  return {time: number("t"), person: number("person"), action: link.get("action") ?? undefined};
}

/** Writes the moment into the address, without a new entry in the browser's history. */
function writeLink(time, person, action) {
  const link = new URLSearchParams({t: String(Math.round(time * 100) / 100)});
  if (person !== undefined) link.set("person", person);
  if (action !== undefined) link.set("action", action);
  history.replaceState(null, "", `#${link}`);
}

/** An action's name as the page shortens it: "talk to" for "talk to (e.g., self, a person)". */
const withoutExamples = (name) => name.replace(/\s*\(.*\)\s*$/, "") || name;
