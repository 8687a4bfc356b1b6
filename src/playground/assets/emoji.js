// The short codes that bots commonly use. An unknown one stays as it was written.
const LIST = `white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ negative_squared_cross_mark ❎ warning ⚠️ no_entry ⛔
no_entry_sign 🚫 rotating_light 🚨 fire 🔥 boom 💥 tada 🎉 sparkles ✨ star ⭐ rocket 🚀 hourglass ⌛ hourglass_flowing_sand ⏳ clock1 🕐 clock3 🕒
stopwatch ⏱️ timer_clock ⏲️ alarm_clock ⏰ calendar 📅 date 📅 spiral_calendar_pad 🗓️ arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️
arrows_counterclockwise 🔄 arrows_clockwise 🔃 repeat 🔁 rewind ⏪ fast_forward ⏩ arrow_forward ▶️ black_square_for_stop ⏹️ double_vertical_bar ⏸️
lock 🔒 unlock 🔓 closed_lock_with_key 🔐 key 🔑 shield 🛡️ eyes 👀 eye 👁️ mag 🔍 mag_right 🔎 memo 📝 pencil ✏️ pencil2 ✏️ page_facing_up 📄
clipboard 📋 bar_chart 📊 chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 file_folder 📁 open_file_folder 📂 package 📦
inbox_tray 📥 outbox_tray 📤 link 🔗 paperclip 📎 pushpin 📌 round_pushpin 📍 bulb 💡 gear ⚙️ wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️
toolbox 🧰 robot_face 🤖 construction 🚧 wave 👋 thumbsup 👍 +1 👍 thumbsdown 👎 -1 👎 clap 👏 raised_hands 🙌 pray 🙏 ok_hand 👌 point_right 👉
point_left 👈 point_up ☝️ point_down 👇 raised_hand ✋ hand ✋ muscle 💪 bust_in_silhouette 👤 busts_in_silhouette 👥 speech_balloon 💬 thought_balloon 💭
bell 🔔 no_bell 🔕 loudspeaker 📢 mega 📣 email 📧 envelope ✉️ phone ☎️ globe_with_meridians 🌐 earth_americas 🌎 earth_africa 🌍 satellite 📡
zap ⚡ sunny ☀️ cloud ☁️ snowflake ❄️ umbrella ☔ rainbow 🌈 100 💯 question ❓ grey_question ❔ exclamation ❗ grey_exclamation ❕ bangbang ‼️
information_source ℹ️ heavy_plus_sign ➕ heavy_minus_sign ➖ heavy_multiplication_x ✖️ wastebasket 🗑️ recycle ♻️ skull 💀 ghost 👻 bug 🐛 beetle 🐞
smile 😄 smiley 😃 grin 😁 joy 😂 slightly_smiling_face 🙂 wink 😉 blush 😊 heart ❤️ broken_heart 💔 thinking_face 🤔 sweat_smile 😅 cry 😢 scream 😱
sob 😭 tired_face 😫 sleeping 😴 zzz 💤 sunglasses 😎 nerd_face 🤓 partying_face 🥳 red_circle 🔴 large_blue_circle 🔵 large_green_circle 🟢
large_yellow_circle 🟡 large_orange_circle 🟠 white_circle ⚪ black_circle ⚫ large_blue_square 🟦 large_green_square 🟩 large_red_square 🟥
large_yellow_square 🟨 white_large_square ⬜ black_large_square ⬛ small_blue_diamond 🔹 small_orange_diamond 🔸 checkered_flag 🏁 triangular_flag_on_post 🚩
steam_locomotive 🚂 railway_car 🚃 train 🚋 train2 🚆 station 🚉 vertical_traffic_light 🚦 traffic_light 🚥 railway_track 🛤️ octagonal_sign 🛑 coffee ☕
one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ receipt 🧾 card_index 📇 floppy_disk 💾 computer 💻 desktop_computer 🖥️ file_cabinet 🗄️ test_tube 🧪 dart 🎯
crossed_swords ⚔️ scales ⚖️ ballot_box 🗳️ judge 🧑‍⚖️ see_no_evil 🙈 ok 🆗 new 🆕 sos 🆘 top 🔝 soon 🔜 back 🔙 end 🔚`;

const words = LIST.split(/\s+/);
const BY_NAME = new Map();
for (let at = 0; at + 1 < words.length; at += 2) BY_NAME.set(words[at], words[at + 1]);

/** The sign for a short code without its colons, or null. */
export function emoji(name) {
  return BY_NAME.get(name) ?? null;
}

/** Text with every known :short_code: replaced. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (code, name) => BY_NAME.get(name) ?? code);
}
