// What a person chose, kept in this browser.

export function remembered(key, otherwise) {
  try {
    const text = localStorage.getItem(`hone.${key}`);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(`hone.${key}`, JSON.stringify(value));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
