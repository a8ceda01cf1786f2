// The language: of the address (#en, #zh), else the one that the page was written with. Without scripts the radio
// buttons still switch what is shown; this tells the title and screen readers too.
(() => {
  const buttons = { en: document.getElementById('show-en'), zh: document.getElementById('show-zh') };
  const title = document.querySelector('title');
  const tell = () => {
    const language = buttons.zh.checked ? 'zh' : 'en';
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    document.title = title.dataset[language];
  };
  const follow = () => {
    const asked = buttons[location.hash.slice(1)];
    if (asked) { asked.checked = true; }
    tell();
  };
  Object.values(buttons).forEach((button) => button.addEventListener('change', tell));
  addEventListener('hashchange', follow);
  follow();
})();
