// The reviewer's name in this browser: kept when the page has one, told to the page when it has none.
const KEY = "maskdesk.reviewer";

export default function (component) {
  const { data, setStateValue } = component;
  try {
    if (data.name) localStorage.setItem(KEY, data.name);
    else if (data.ask) setStateValue("name", localStorage.getItem(KEY) ?? "");
    else localStorage.removeItem(KEY);
  } catch {
    // this browser keeps nothing; the name is asked for again after a reload
  }
}
