"""Uses the console in a real browser, headless Chromium with JavaScript switched off, as a developer and as an operator.

Also a judge of accessibility: axe-core (WCAG 2.1 A and AA) on every page that it comes to, in light and dark, on a desk
and on a phone. Prints what it did; ends with status 1 and the reason where something is not as it should be. Pictures of
the pages go to --pictures.
"""

import argparse
import os
import pathlib
import sys

import axe_core_python
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import Select, WebDriverWait

AXE = (pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
DESK, PHONE = (1280, 800), (390, 844)
# By how much the page is wider than its window, or what a part of it holds than the part.
WIDTH = """
const parts = [...document.querySelectorAll("section, header, main")].map(part => part.scrollWidth - part.clientWidth);
return Math.max(document.documentElement.scrollWidth - arguments[0], ...parts);
"""


def chromium(scripts):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    browser = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    browser.set_page_load_timeout(30)
    browser.set_script_timeout(30)
    return browser


def show_as(browser, device, scheme):
    size = DESK if device == "desk" else PHONE
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": device == "phone"})
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def is_gone(element):
    """Whether the page of an element was left; the driver has more than one way to say so."""
    try:
        element.is_enabled()
        return False
    except WebDriverException:
        return True


class Judge:
    """axe-core is a script, and the browser that uses the console runs none: so a second one shows the same pages."""

    def __init__(self, base):
        self.browser = chromium(scripts=True)
        self.browser.get(base + "/console/login")
        self.frame = self.browser.execute_cdp_cmd("Page.getFrameTree", {})["frameTree"]["frame"]["id"]

    def show(self, html):
        self.browser.execute_cdp_cmd("Page.setDocumentContent", {"frameId": self.frame, "html": html})
        self.browser.execute_async_script(
            "const done = arguments[0], styled = () => document.styleSheets.length > 0 ? done() : setTimeout(styled, 5);"
            "styled();")
        self.browser.execute_script(AXE)

    def violations(self):
        """How many rules passed, and what is wrong."""
        result = self.browser.execute_async_script(
            "const done = arguments[0];"
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
            ".then(done, error => done({violations: [], error: String(error)}));")
        if "error" in result:
            return 0, [f"axe: {result['error']}"]
        return len(result["passes"]), [
            f"{violation['id']}: {violation['help']}: "
            + "; ".join(node["html"][:200] + " " + node["failureSummary"] for node in violation["nodes"][:3])
            for violation in result["violations"]
        ]


class Console:
    def __init__(self, base, pictures):
        self.browser, self.judge = chromium(scripts=False), Judge(base)
        self.base, self.pictures = base, pictures
        self.seen = {}

    def quit(self):
        self.browser.quit()
        self.judge.browser.quit()

    # Going about

    def go(self, path):
        self.browser.get(self.base + path)

    def find(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def fill(self, **fields):
        for name, text in fields.items():
            field = self.find(f"#{name}")
            if field.tag_name == "select":
                Select(field).select_by_value(text)
            elif field.get_attribute("type") == "file":
                field.send_keys(text)
            else:
                field.clear()
                field.send_keys(text)

    def press(self, words):
        """Presses the button or follows the link of these words."""
        for element in self.browser.find_elements(By.CSS_SELECTOR, "main button, main a, header button, header a"):
            if element.text == words:
                return self.follow(element)
        self.fail(f"there is no button or link '{words}'")

    def follow(self, element):
        """Clicks, and waits for the page that comes of it."""
        before = self.find("html")
        element.click()
        WebDriverWait(self.browser, 30).until(lambda _: is_gone(before))
        WebDriverWait(self.browser, 30).until(
            expected_conditions.presence_of_element_located((By.CSS_SELECTOR, "main h1")))

    def expect(self, *texts):
        text = self.find("body").text
        for wanted in texts:
            if wanted not in text:
                self.fail(f"the page does not say '{wanted}':\n{text}")

    def fail(self, reason):
        self.picture("failed")
        raise AssertionError(f"{self.browser.current_url}: {reason}")

    # Looking

    def picture(self, name):
        if self.pictures:
            self.browser.save_screenshot(os.path.join(self.pictures, name + ".png"))

    def look(self, name):
        """Judges the page on a desk and on a phone, in light and dark."""
        self.judge.show(self.browser.page_source)
        for device in ("desk", "phone"):
            for scheme in ("light", "dark"):
                show_as(self.judge.browser, device, scheme)
                passed, violations = self.judge.violations()
                if violations:
                    self.fail(f"{name}, {device}, {scheme}: {violations[0]}")
                show_as(self.browser, device, scheme)
                self.picture(f"{name}-{device}-{scheme}")
                wide = self.browser.execute_script(WIDTH, (DESK if device == "desk" else PHONE)[0])
                if wide > 0:
                    self.fail(f"{name}, {device}: something is {wide} px wider than its place")
                self.seen[f"{name}, {device}, {scheme}"] = passed
        self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def check_keyboard(self):
        """The first key leads past the navigation, to something that can be seen."""
        self.find("body").send_keys(Keys.TAB)
        focused = self.browser.switch_to.active_element
        if focused.text != "Skip to the content" or focused.rect["y"] < 0:
            self.fail(f"the first Tab leads to '{focused.text}' at {focused.rect}")

    def check_no_script(self):
        self.browser.get("data:text/html,<title>off</title><script>document.title='on'</script>")
        if self.browser.title != "off":
            self.fail("JavaScript is on")

    # Doing

    def log_in(self, email, password):
        self.go("/console")
        self.expect("Log in")
        self.fill(email=email, password=password)
        self.press("Log in")


def as_developer(console, options):
    console.log_in(options.developer, "not the password")
    console.expect("The e-mail address or the password is wrong.")
    console.look("log-in-refused")
    console.log_in(options.developer, options.password)
    console.expect("Hello,")
    console.check_keyboard()
    console.look("home-developer")

    console.press("Products")
    console.press("New product")
    console.fill(productId="skin-aurora", name="", prices="4,99 EUR")
    console.press("Save to the draft")
    console.expect("This was not saved", "“4,99 EUR” is no price", "Enter a name.")
    console.look("product-refused")
    console.fill(name="Aurora <Knight>", prices="5.99 EUR\n6.49 USD", virtualPrices="500 gems")
    console.press("Save to the draft")
    console.expect("Saved to the draft.", "Aurora <Knight>")
    console.fill(file=options.picture)
    console.press("Upload")
    console.expect("The picture is saved with the draft.")
    console.look("product")

    console.press("Promotions")
    console.press("New promotion")
    console.fill(promotionId="northern-lights", name="Northern lights", percentOff="20", productIds="skin-aurora")
    # Typed as dates are by hand, in the order of the browser's language.
    for name, text in (("startsAt", "01012026\t1200AM"), ("endsAt", "01012030\t1200AM")):
        console.find(f"#{name}").send_keys(text)
    console.press("Save to the draft")
    console.expect("Saved to the draft.")
    console.press("Promotions")
    console.look("promotions")

    console.press("Publish")
    console.expect("product skin-aurora", "promotion northern-lights")
    console.look("publish")
    console.fill(note="The north")
    console.follow(console.find("main button"))
    console.expect("Published. Players see it within a second.", "The north")
    console.look("version")
    console.press("Versions")
    console.look("versions")
    console.press("Products")
    console.expect("Aurora <Knight>", "as published")
    console.look("products")

    console.press("Balance")
    console.look("balance")
    console.press("Shade")
    console.look("balance-form")
    console.fill(health="912")
    console.press("Save to the draft")
    console.expect("Saved to the draft", "health: 850 → 912")
    console.press("Publish the draft")
    console.look("balance-draft")
    console.fill(note="Sturdier")
    console.follow(console.find("main button"))
    console.expect("Published as a new patch", "characters.shade (health: 850 → 912)", "Sturdier")
    console.press("Patch 1")
    console.press("Roll back to it")
    console.look("balance-rollback")
    console.press("Keep patch 2")
    console.press("Changes")
    console.expect("product skin-aurora", "catalog")
    console.look("changes")
    console.press("Log out")
    console.expect("You are logged out.")
    console.go("/console/products")
    console.expect("E-mail address")


def as_operator(console, options):
    console.log_in(options.operator, options.password)
    console.expect("Hello,")
    console.look("home-operator")
    console.press("Orders")
    console.expect(options.order)
    console.look("orders")
    console.press(options.order)
    console.expect("Transfers", "Entitlements", "paid")
    console.look("order")
    console.press("Refund")
    console.press("Refund")
    console.expect("Enter a reason.")
    console.look("refund")
    console.fill(reason="Bought by mistake")
    console.press("Refund")
    console.expect("The refund is under way.", "refunded", "revoked")

    console.press("Players")
    console.fill(q=options.player)
    console.press("Search")
    console.look("players")
    console.follow(console.find("tbody th a"))
    console.expect("Sessions", "Wallet", "Inventory")
    console.look("player")
    console.press("Lock")
    console.fill(reason="Sold the account")
    console.press("Lock")
    console.expect("Locked, and logged out everywhere.", "Sold the account", "Logged in nowhere.")
    console.go("/console/products")
    console.expect("Not allowed")
    console.look("forbidden")
    console.press("Changes")
    console.expect(f"order {options.order}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("base", "developer", "operator", "password", "order", "player", "picture"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--pictures", default="")
    options = parser.parse_args()
    console = Console(options.base, options.pictures)
    try:
        console.check_no_script()
        as_developer(console, options)
        as_operator(console, options)
    finally:
        console.quit()
    print(f"{len(console.seen)} views judged by axe-core, {sum(console.seen.values())} rules passed")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        sys.exit(str(error))
