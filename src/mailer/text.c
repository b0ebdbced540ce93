#include "mailer/text.h"

#include <string.h>

#include <json-c/json.h>

#include "base/bytes.h"

enum language {
	EN,
	ZH,
	DE,
	LANGUAGES
};

/* {name} stands for a member of the notice's detail, or {customer}. */
struct words {
	const char *kind;
	const char *subject[LANGUAGES];
	const char *text[LANGUAGES];
};

static const struct words table[] = {
	{ "account_changed",
	  { "Your account was changed", "您的账户信息已更改",
	    "Ihr Konto wurde geändert" },
	  { "Of your account {customer} this was changed through its API:"
	    " {changed}.\n\nIf that was not you, somebody else has one of your"
	    " keys: revoke it and tell us.\n",
	    "您的账户 {customer} 的以下信息已通过 API 更改：{changed}。\n\n"
	    "如果这不是您本人的操作，说明有人掌握了您的密钥：请立即吊销该密钥"
	    "并通知我们。\n",
	    "An Ihrem Konto {customer} wurde über dessen API geändert:"
	    " {changed}.\n\nWenn Sie das nicht waren, hat jemand anderes einen"
	    " Ihrer Schlüssel: Sperren Sie ihn und sagen Sie es uns.\n" } },
	{ "login_changed",
	  { "Your login was changed", "您的登录信息已更改",
	    "Ihre Anmeldung wurde geändert" },
	  { "Of the login {login} of your account {customer} this was changed:"
	    " {changed}.\n\nIf that was not you, set another password now, by"
	    " a code that we mail you, and tell us.\n",
	    "您的账户 {customer} 的登录 {login} 的以下内容已更改：{changed}。"
	    "\n\n如果这不是您本人的操作，请立即通过邮件验证码重设密码，并通知"
	    "我们。\n",
	    "An der Anmeldung {login} Ihres Kontos {customer} wurde geändert:"
	    " {changed}.\n\nWenn Sie das nicht waren, setzen Sie jetzt mit"
	    " einem Code, den wir Ihnen mailen, ein anderes Passwort, und sagen"
	    " Sie es uns.\n" } },
	{ "login_guessed",
	  { "Somebody may know your password", "可能有人知道您的密码",
	    "Jemand kennt vielleicht Ihr Passwort" },
	  { "Somebody gave the password of your login {login} and then wrong"
	    " one-time codes.\n\nIf that was not you, set another password"
	    " now.\n",
	    "有人输入了您的登录 {login} 的正确密码，但随后的一次性验证码有误。"
	    "\n\n如果这不是您本人的操作，请立即更改密码。\n",
	    "Jemand hat das Passwort Ihrer Anmeldung {login} eingegeben und"
	    " dann falsche Einmalcodes.\n\nWenn Sie das nicht waren, setzen"
	    " Sie jetzt ein anderes Passwort.\n" } },
	{ "login_known",
	  { "You are registered already", "您已注册",
	    "Sie sind schon registriert" },
	  { "Somebody wanted to register with your address {customer}, which"
	    " has an account already. Log in with it; if you have forgotten"
	    " the password, ask for a code to set another.\n\nIf that was not"
	    " you, you need not do anything.\n",
	    "有人试图使用您的地址 {customer} 注册，但该地址已有账户。请直接登"
	    "录；如忘记密码，可申请验证码重设。\n\n如果这不是您本人的操作，"
	    "无需任何处理。\n",
	    "Jemand wollte sich mit Ihrer Adresse {customer} registrieren, die"
	    " schon ein Konto hat. Melden Sie sich damit an; haben Sie das"
	    " Passwort vergessen, fordern Sie einen Code für ein anderes"
	    " an.\n\nWenn Sie das nicht waren, brauchen Sie nichts zu"
	    " tun.\n" } },
	{ "login_register",
	  { "Your code to register", "您的注册验证码",
	    "Ihr Code zum Registrieren" },
	  { "The code that confirms your address {customer} is\n\n"
	    "    {code}\n\nIt is good for an hour. Enter it where you"
	    " registered, with the password that you chose; give it to nobody"
	    " else.\n\nIf you didn't register, you need not do anything.\n",
	    "用于确认您的地址 {customer} 的验证码是\n\n    {code}\n\n"
	    "一小时内有效。请在注册页面连同您设置的密码一起输入，切勿告知他"
	    "人。\n\n如果您没有注册，无需任何处理。\n",
	    "Der Code, der Ihre Adresse {customer} bestätigt, ist\n\n"
	    "    {code}\n\nEr gilt eine Stunde. Geben Sie ihn da ein, wo Sie"
	    " sich registriert haben, mit dem Passwort, das Sie gewählt haben;"
	    " geben Sie ihn niemandem.\n\nWenn Sie sich nicht registriert"
	    " haben, brauchen Sie nichts zu tun.\n" } },
	{ "login_reset",
	  { "Your code for another password", "您的密码重设验证码",
	    "Ihr Code für ein anderes Passwort" },
	  { "The code that sets another password for {customer} is\n\n"
	    "    {code}\n\nIt is good for an hour. Give it to nobody, whoever"
	    " asks for it.\n\nIf you didn't ask for it, you need not do"
	    " anything: your password stays.\n",
	    "用于重设 {customer} 密码的验证码是\n\n    {code}\n\n"
	    "一小时内有效。无论谁索要，切勿告知他人。\n\n如果这不是您本人的"
	    "操作，无需任何处理，您的密码不变。\n",
	    "Der Code, der für {customer} ein anderes Passwort setzt, ist\n\n"
	    "    {code}\n\nEr gilt eine Stunde. Geben Sie ihn niemandem, wer"
	    " auch fragt.\n\nWenn Sie ihn nicht angefordert haben, brauchen"
	    " Sie nichts zu tun: Ihr Passwort bleibt.\n" } },
	{ "payment_booked",
	  { "Your payment has arrived", "您的付款已到账",
	    "Ihre Zahlung ist eingegangen" },
	  { "Your payment {payment} of {amount} {currency} is on your account"
	    " {customer}. Its booking has the number {booking}.\n",
	    "您的付款 {payment}（{amount} {currency}）已记入账户 {customer}，"
	    "记账编号为 {booking}。\n",
	    "Ihre Zahlung {payment} über {amount} {currency} ist auf Ihrem"
	    " Konto {customer}. Die Buchung hat die Nummer {booking}.\n" } },
	{ "resumed",
	  { "Your account is active again", "您的账户已恢复",
	    "Ihr Konto ist wieder frei" },
	  { "Calls of your account {customer} are accepted again.\n",
	    "您的账户 {customer} 的调用已恢复。\n",
	    "Aufrufe Ihres Kontos {customer} werden wieder angenommen.\n" } },
	{ "suspended",
	  { "Your account was suspended", "您的账户已被暂停",
	    "Ihr Konto wurde gesperrt" },
	  { "Calls of your account {customer} are refused from now on."
	    " Reason: {reason}\n\nAnswer us if that is a mistake.\n",
	    "您的账户 {customer} 的调用即日起被拒绝。原因：{reason}\n\n"
	    "如有误，请与我们联系。\n",
	    "Aufrufe Ihres Kontos {customer} werden ab jetzt abgelehnt. Grund:"
	    " {reason}\n\nMelden Sie sich, wenn das ein Irrtum ist.\n" } },
	{ "ticket_answered",
	  { "Your ticket {ticket} was answered", "您的工单 {ticket} 已有回复",
	    "Ihr Ticket {ticket} wurde beantwortet" },
	  { "We have answered your ticket {ticket}: {subject}\n\nYou find the"
	    " answer in your account {customer}.\n",
	    "我们已回复您的工单 {ticket}：{subject}\n\n"
	    "请在账户 {customer} 中查看回复。\n",
	    "Wir haben Ihr Ticket {ticket} beantwortet: {subject}\n\nSie finden"
	    " die Antwort in Ihrem Konto {customer}.\n" } },
	{ "ticket_closed",
	  { "Your ticket {ticket} was closed", "您的工单 {ticket} 已关闭",
	    "Ihr Ticket {ticket} wurde geschlossen" },
	  { "We have closed your ticket {ticket}: {subject}\n\nIf something is"
	    " left to say, open another in your account {customer}.\n",
	    "我们已关闭您的工单 {ticket}：{subject}\n\n"
	    "如仍有问题，请在账户 {customer} 中新建工单。\n",
	    "Wir haben Ihr Ticket {ticket} geschlossen: {subject}\n\nWenn noch"
	    " etwas zu sagen ist, öffnen Sie in Ihrem Konto {customer} ein"
	    " neues.\n" } },
	{ "ticket_refunded",
	  { "A refund for your ticket {ticket}", "工单 {ticket} 的退款",
	    "Eine Gutschrift zu Ihrem Ticket {ticket}" },
	  { "For your ticket {ticket} ({subject}) we gave {amount} back to your"
	    " account {customer}. Its booking has the number {booking}.\n",
	    "针对您的工单 {ticket}（{subject}），我们已将 {amount} 退回账户"
	    " {customer}，记账编号为 {booking}。\n",
	    "Zu Ihrem Ticket {ticket} ({subject}) haben wir Ihrem Konto"
	    " {customer} {amount} gutgeschrieben. Die Buchung hat die Nummer"
	    " {booking}.\n" } },
};

static const struct words general = { "",
	{ "News about your account", "您的账户有新通知",
	  "Neues zu Ihrem Konto" },
	{ "There is a notice about your account {customer} ({kind}). You find"
	  " it among the notices of the account.\n",
	  "您的账户 {customer} 有一条新通知（{kind}），请在账户通知中查看。\n",
	  "Zu Ihrem Konto {customer} gibt es eine Mitteilung ({kind}). Sie"
	  " finden sie unter den Mitteilungen des Kontos.\n" } };

static const struct words *
find(const char *kind)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].kind, kind) == 0)
			return &table[i];
	return &general;
}

bool
text_known(const char *kind)
{
	return find(kind) != &general;
}

static enum language
language_of(const char *name)
{
	return strcmp(name, "zh") == 0 ? ZH : strcmp(name, "de") == 0 ? DE :
	    EN;
}

static bool
append(struct buf *to, const char *text)
{
	return buf_append(to, text, strlen(text));
}

/* A list's members have commas between them; what isn't there is "-". */
static bool
append_member(struct buf *to, struct json_object *o)
{
	size_t n;

	if (o == NULL)
		return append(to, "-");
	if (!json_object_is_type(o, json_type_array))
		return append(to, json_object_get_string(o));
	n = json_object_array_length(o);
	for (size_t i = 0; i < n; i++)
		if ((i > 0 && !append(to, ", ")) || !append(to,
		    json_object_get_string(json_object_array_get_idx(o, i))))
			return false;
	return true;
}

static bool
fill(struct buf *to, const char *template, const struct mail *mail,
    struct json_object *detail)
{
	struct json_object *member;
	char name[32];
	size_t plain, len;

	while (*template != '\0') {
		plain = strcspn(template, "{");
		if (!buf_append(to, template, plain))
			return false;
		template += plain;
		if (*template == '\0')
			break;
		len = strcspn(++template, "}");
		if (len >= sizeof(name))
			return false;
		memcpy(name, template, len);
		name[len] = '\0';
		template += len + 1;
		member = NULL;
		json_object_object_get_ex(detail, name, &member);
		if (strcmp(name, "customer") == 0 ?
		    !append(to, mail->customer) : strcmp(name, "kind") == 0 ?
		    !append(to, mail->kind) : !append_member(to, member))
			return false;
	}
	return true;
}

bool
text_write(const struct mail *mail, struct buf *subject, struct buf *text)
{
	const struct words *words = find(mail->kind);
	enum language l = language_of(mail->language);
	struct json_object *detail = json_tokener_parse(mail->detail);
	bool ok;

	ok = fill(subject, words->subject[l], mail, detail) &&
	    fill(text, words->text[l], mail, detail);
	json_object_put(detail);
	return ok;
}
