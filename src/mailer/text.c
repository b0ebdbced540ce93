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
	{ "account_closing",
	  { "Your account is being closed", "您的账户即将关闭",
	    "Ihr Konto wird geschlossen" },
	  { "Your account {customer} is closed: calls are refused from now on."
	    " On {due} (UTC) what is left of your payments is booked out to be"
	    " paid back to you, and your data are erased. Until then you can"
	    " take it back and export your data, by a key of scope"
	    " account.\n",
	    "您的账户 {customer} 已关闭，即日起不再接受调用。{due}（UTC）将结算"
	    "并退还剩余付款，同时删除您的数据。在此之前，您可以使用 account 权限"
	    "的密钥撤销关闭并导出数据。\n",
	    "Ihr Konto {customer} ist geschlossen: Aufrufe werden ab jetzt"
	    " abgelehnt. Am {due} (UTC) wird, was von Ihren Zahlungen übrig"
	    " ist, zur Auszahlung ausgebucht, und Ihre Daten werden gelöscht."
	    " Bis dahin können Sie das zurücknehmen und Ihre Daten ausführen,"
	    " mit einem Schlüssel des Umfangs account.\n" } },
	{ "account_kept",
	  { "Your account stays open", "您的账户继续保留",
	    "Ihr Konto bleibt bestehen" },
	  { "The closing of your account {customer} was taken back. Keys that"
	    " were revoked stay revoked; make new ones.\n",
	    "您的账户 {customer} 的关闭已撤销。已吊销的密钥不会恢复，请新建"
	    "密钥。\n",
	    "Die Schließung Ihres Kontos {customer} wurde zurückgenommen."
	    " Gesperrte Schlüssel bleiben gesperrt; machen Sie neue.\n" } },
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
	{ "key_resumed",
	  { "Your key {key} is active again", "您的密钥 {key} 已恢复",
	    "Ihr Schlüssel {key} ist wieder frei" },
	  { "Calls by the key {key} of your account {customer} are accepted"
	    " again.\n",
	    "您的账户 {customer} 的密钥 {key} 的调用已恢复。\n",
	    "Aufrufe mit dem Schlüssel {key} Ihres Kontos {customer} werden"
	    " wieder angenommen.\n" } },
	{ "key_suspended",
	  { "Your key {key} was suspended", "您的密钥 {key} 已被暂停",
	    "Ihr Schlüssel {key} wurde gesperrt" },
	  { "Calls by the key {key} of your account {customer} are refused"
	    " from now on. Reason: {reason}\n\nAnswer us if that is a mistake,"
	    " or make another key.\n",
	    "您的账户 {customer} 的密钥 {key} 的调用即日起被拒绝。原因：{reason}"
	    "\n\n如有误，请与我们联系，或创建新密钥。\n",
	    "Aufrufe mit dem Schlüssel {key} Ihres Kontos {customer} werden ab"
	    " jetzt abgelehnt. Grund: {reason}\n\nMelden Sie sich, wenn das"
	    " ein Irrtum ist, oder legen Sie einen anderen Schlüssel an.\n" } },
	{ "limited",
	  { "Your account was limited", "您的账户已被限制",
	    "Ihr Konto wurde eingeschränkt" },
	  { "Few calls of your account {customer} are accepted from now on."
	    " Reason: {reason}\n\nAnswer us if that is a mistake.\n",
	    "您的账户 {customer} 即日起只能进行少量调用。原因：{reason}\n\n"
	    "如有误，请与我们联系。\n",
	    "Von Ihrem Konto {customer} werden ab jetzt nur wenige Aufrufe"
	    " angenommen. Grund: {reason}\n\nMelden Sie sich, wenn das ein"
	    " Irrtum ist.\n" } },
	{ "low_balance",
	  { "Your balance is low", "您的余额不足",
	    "Ihr Guthaben geht zu Ende" },
	  { "The balance of your account {customer} is {balance}, below"
	    " {below}. Calls are refused when it is used up.\n",
	    "您的账户 {customer} 的余额为 {balance}，低于 {below}。"
	    "余额用尽后调用将被拒绝。\n",
	    "Das Guthaben Ihres Kontos {customer} ist {balance}, weniger als"
	    " {below}. Ist es aufgebraucht, werden Aufrufe abgelehnt.\n" } },
	{ "incident",
	  { "An incident that concerns your data", "涉及您数据的安全事件",
	    "Ein Vorfall, der Ihre Daten betrifft" },
	  { "An incident (number {incident}, {type}) concerns data of your"
	    " account {customer}. From {since} until {until} (UTC).\n\n"
	    "What happened: {what}\n\nWhat it means: {impact}\n\n"
	    "What we have done: {taken}\n\nWhat we will do: {planned}\n\n"
	    "What we recommend to you: {recommended}\n",
	    "一起安全事件（编号 {incident}，{type}）涉及您账户 {customer} 的数据。"
	    "时间：{since} 至 {until}（UTC）。\n\n事件经过：{what}\n\n"
	    "影响：{impact}\n\n已采取的措施：{taken}\n\n"
	    "计划采取的措施：{planned}\n\n建议您采取的措施：{recommended}\n",
	    "Ein Vorfall (Nummer {incident}, {type}) betrifft Daten Ihres"
	    " Kontos {customer}. Von {since} bis {until} (UTC).\n\n"
	    "Was geschehen ist: {what}\n\nWas es bedeutet: {impact}\n\n"
	    "Was wir getan haben: {taken}\n\nWas wir tun werden: {planned}"
	    "\n\nWas wir Ihnen empfehlen: {recommended}\n" } },
	{ "payment_booked",
	  { "Your payment has arrived", "您的付款已到账",
	    "Ihre Zahlung ist eingegangen" },
	  { "Your payment {payment} of {amount} {currency} is on your account"
	    " {customer}. Its booking has the number {booking}.\n",
	    "您的付款 {payment}（{amount} {currency}）已记入账户 {customer}，"
	    "记账编号为 {booking}。\n",
	    "Ihre Zahlung {payment} über {amount} {currency} ist auf Ihrem"
	    " Konto {customer}. Die Buchung hat die Nummer {booking}.\n" } },
	{ "request_answered",
	  { "Your request {request} was answered", "您的请求 {request} 已答复",
	    "Ihr Antrag {request} wurde beantwortet" },
	  { "Your request {request} about your data ({type}) was answered. You"
	    " find the answer in your account {customer}.\n",
	    "您关于数据的请求 {request}（{type}）已答复，请在账户 {customer} 中"
	    "查看。\n",
	    "Ihr Antrag {request} zu Ihren Daten ({type}) wurde beantwortet."
	    " Sie finden die Antwort in Ihrem Konto {customer}.\n" } },
	{ "resumed",
	  { "Your account is active again", "您的账户已恢复",
	    "Ihr Konto ist wieder frei" },
	  { "Calls of your account {customer} are accepted again.\n",
	    "您的账户 {customer} 的调用已恢复。\n",
	    "Aufrufe Ihres Kontos {customer} werden wieder angenommen.\n" } },
	{ "risk",
	  { "Something unusual about your account", "您的账户出现异常情况",
	    "Etwas Ungewöhnliches an Ihrem Konto" },
	  { "A rule ({rule}) found something unusual about your account"
	    " {customer}. Key: {key} (none: the account as a whole). Seen:"
	    " {seen}; it rings above {bound}.\n\nIf that was not you, revoke"
	    " the key and tell us.\n",
	    "规则（{rule}）发现您的账户 {customer} 有异常。密钥：{key}"
	    "（空：整个账户）。观测值：{seen}，阈值：{bound}。\n\n"
	    "如非本人操作，请吊销该密钥并告知我们。\n",
	    "Eine Regel ({rule}) hat an Ihrem Konto {customer} etwas"
	    " Ungewöhnliches gefunden. Schlüssel: {key} (keiner: das Konto"
	    " als Ganzes). Gesehen: {seen}; die Schwelle ist {bound}.\n\n"
	    "Wenn das nicht Sie waren, widerrufen Sie den Schlüssel und sagen"
	    " Sie es uns.\n" } },
	{ "subprocessor_added",
	  { "A new sub-processor: {name}", "新增分包处理方：{name}",
	    "Ein neuer Unterauftragsverarbeiter: {name}" },
	  { "From {valid_from} (UTC) on, data of your calls may be sent to"
	    " {name}.\n\nLegal entity: {entity} ({country})\n"
	    "Purpose: {purpose}\nRegions: {regions}\n\n"
	    "If you object, tell us before that day. Your account {customer}"
	    " can also be bound to regions.\n",
	    "自 {valid_from}（UTC）起，您的调用数据可能会发送给 {name}。\n\n"
	    "法律实体：{entity}（{country}）\n用途：{purpose}\n"
	    "处理地区：{regions}\n\n如有异议，请在该日期前告知我们。您也可以将"
	    "账户 {customer} 限定在特定地区。\n",
	    "Ab {valid_from} (UTC) können Daten Ihrer Aufrufe an {name} gehen."
	    "\n\nRechtsträger: {entity} ({country})\nZweck: {purpose}\n"
	    "Regionen: {regions}\n\nWenn Sie widersprechen, sagen Sie es uns"
	    " vor diesem Tag. Ihr Konto {customer} kann auch auf Regionen"
	    " beschränkt werden.\n" } },
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
