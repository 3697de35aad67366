// Light and dark: as the system has it, until somebody chooses.

const THEME = "podcov-theme";
const themes = { system: "light dark", light: "light", dark: "dark" };

const setTheme = (theme) => {
  document.documentElement.style.colorScheme = themes[theme];
  document.getElementById("theme").value = theme;
};

const prepareTheme = () => {
  let theme = "system";
  try {
    theme = localStorage.getItem(THEME) ?? theme;
  } catch {
    // A browser may keep nothing for a page from a file.
  }
  setTheme(theme in themes ? theme : "system");
  document.getElementById("theme").addEventListener("change", ({ target }) => {
    setTheme(target.value);
    try {
      localStorage.setItem(THEME, target.value);
    } catch {
      // It holds until the page is closed.
    }
  });
};
