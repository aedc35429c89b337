// A list of checkboxes with a search field: the actions and the persons of the filter.

/** items: [{name, colour}]; shown: [boolean], changed in place; changed() is called after each change.
    Returns {setCounts([number])}. */
function checkList(container, items, shown, changed) {
  const search = created("input", {type: "search", placeholder: `search ${items.length}`});
  search.setAttribute("aria-label", container.dataset.search);
  const list = created("div", {className: "list"}), rows = items.map((item, index) => {
    const box = created("input", {type: "checkbox", checked: true});
    const name = created("span", {className: "name", textContent: item.name, title: item.name});
    const count = created("span", {className: "count"});
    const only = created("button", {className: "only", textContent: "only", title: `only ${item.name}`});
    const label = created("label", {}, box, name), row = created("div", {className: "item"}, label, count, only);
    if (item.colour) name.style.borderLeft = `4px solid ${item.colour}`;
    box.addEventListener("change", () => { shown[index] = box.checked; changed(); });
    only.addEventListener("click", () => selectOnly((other) => other === index));
    return {row, box, count, text: item.name.toLowerCase()};
  });
  const selectOnly = (isSelected) => {
    rows.forEach(({box}, index) => { shown[index] = box.checked = isSelected(index); });
    changed();
  };
  const isFound = ({text}) => text.includes(search.value.trim().toLowerCase());
  search.addEventListener("input", () => rows.forEach((row) => { row.row.hidden = !isFound(row); }));
  const buttons = ["all", "none"].map((text) => created("button", {textContent: text, className: text}));
  buttons.forEach((button, k) => button.addEventListener("click", () => selectOnly(() => k === 0)));
  list.append(...rows.map(({row}) => row));
  container.append(created("div", {className: "buttons"}, search, ...buttons), list);
  search.hidden = items.length < 8;
  return {setCounts: (counts) => rows.forEach(({count}, index) => { count.textContent = counts[index] || ""; })};
}

/** A new element with these properties and children. */
function created(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
